/** The Solid Notifications Protocol and its channel types, clause by clause: which test shows it. */
import { rowsOf, type Section, suiteOf, withNote, withUrl } from "./entry.ts";

const ED = "https://solidproject.org/ED/notifications-protocol";
const CHANNELS = "https://solid.github.io/notifications";
const { met, notApplicable } = rowsOf((id) => `${ED}#${id}`);

const discovery = suiteOf(
  "test/notify/service.test.ts",
  "notifications: discovery and subscription discovery",
);
const service = suiteOf(
  "test/notify/service.test.ts",
  "notifications: discovery and subscription the service",
);
const refused = suiteOf(
  "test/notify/service.test.ts",
  "notifications: discovery and subscription what is refused",
);
const webSocket = suiteOf("test/notify/websocket.test.ts", "notifications over WebSockets");
const http = suiteOf("test/notify/http.test.ts", "notifications over HTTP");
const webhook = suiteOf("test/notify/webhook.test.ts", "A webhook");
const target = suiteOf("test/notify/webhook-target.test.ts", "The target of a webhook");
const delivery = suiteOf("test/notify/webhook-delivery.test.ts", "Sending to a webhook");

const DESCRIPTION =
  "which is JSON-LD in the protocol's data model (#resource-server-description-resource-accept, -response)";
const SERVICE =
  "has GET, HEAD, OPTIONS and POST (#subscription-server-subscription-request-methods, -accept)";
const answersWith = (type: string) =>
  service(`answers with a channel of ${type} (#subscription-server-subscription-response)`);
const MESSAGE =
  "what is told Create, Update and Delete of a document, with its ETag as state (#notification-message-data-model)";

export const NOTIFICATIONS: Section = {
  name: "Solid Notifications Protocol, Editor's Draft 2025-05, and channel types",
  entries: [
    notApplicable(
      "resource-server-link-resource-description-resource",
      "MUST if offered",
      "Services are those of a storage, and its description lists them; no resource has services of its own.",
    ),
    met(
      "resource-server-link-storage-description-resource",
      "MUST if offered",
      discovery(
        "a resource links to the storage description (#resource-server-link-storage-description-resource)",
      ),
    ),
    met("resource-server-description-resource-accept", "MUST", discovery(DESCRIPTION)),
    met(
      "resource-server-description-resource-response",
      "MUST",
      discovery(DESCRIPTION, "and the same as Turtle, of the storage, too"),
    ),
    met("subscription-server-subscription-request-methods", "MUST", service(SERVICE)),
    met("subscription-server-subscription-request-accept", "MUST", service(SERVICE)),
    met(
      "subscription-server-subscription-request-content-type",
      "MUST",
      answersWith("WebSocketChannel2023"),
      service("takes the contexts that clients send"),
    ),
    met(
      "subscription-server-subscription-request-profile-unrecognised",
      "MUST",
      refused(
        "415 for a profile that is not known (#subscription-server-subscription-request-profile-unrecognised)",
      ),
    ),
    met(
      "subscription-server-subscription-request-unprocessable-entity",
      "MUST",
      refused(
        ...["a context that is not known", "no topic", "no type", "another type", "a topic elsewhere"].map(
          (what) => `422 for ${what} (#subscription-server-subscription-request-unprocessable-entity)`,
        ),
      ),
    ),
    met(
      "subscription-server-subscription-response",
      "MUST",
      ...["WebSocketChannel2023", "StreamingHTTPChannel2023", "EventSourceChannel2023"].map(answersWith),
      webhook("is described with id, type, topic and sender"),
    ),
    met(
      "notification-sender-notification-message-data-model",
      "MUST",
      webSocket(
        MESSAGE,
        "what is told Add and Remove at the folder, folders that were made on the way included; nothing of what is deeper",
      ),
      webhook("tells of a change, and nothing of what it says"),
    ),
    withUrl(
      `${ED}#notification-features`,
      met(
        "features startAt/endAt/rate/accept/state",
        "MAY",
        http(
          "features state: what was known is not what is there, so that is told at once; else nothing is",
          "features rate: what comes too soon is told together when it is time",
          "features startAt: what was before is not told; endAt: then it is over",
        ),
        refused(
          "422 for formats that are not sent (#subscription-server-subscription-request-unprocessable-entity)",
        ),
        webhook(
          "features rate: what comes too often comes together",
          "features startAt and endAt: nothing before, nothing after",
          "features state: who knows an older one is told at once, and once only, whatever fails",
        ),
      ),
    ),
    withUrl(
      `${ED}#authentication-authorization`,
      met(
        "authorisation",
        "MUST (Solid Protocol)",
        webSocket("who is told 401 to strangers and 403 to others, whether there is anything or not"),
        target("is asked by nobody who may not read the topic, or did not log in"),
      ),
    ),
    withUrl(
      `${ED}#consider-exposing-information`,
      met(
        "authorisation over time",
        "(security)",
        webSocket("when access is gone the channel is closed at once, and nothing is sent after"),
        http("StreamingHTTPChannel2023 says nothing more when access is gone, and ends"),
        delivery(
          "stops when access is gone: the next change is not told",
          "stops when access is gone between two attempts: not even what was true before is told",
        ),
      ),
    ),
    withUrl(
      `${CHANNELS}/websocket-channel-2023`,
      met(
        "WebSocketChannel2023",
        "MUST (type)",
        answersWith("WebSocketChannel2023"),
        webSocket(MESSAGE, "going on what came between subscription and connection is told, in order, once"),
      ),
    ),
    withUrl(
      `${CHANNELS}/webhook-channel-2023`,
      met(
        "WebhookChannel2023",
        "MUST (type)",
        webhook(
          "is described with id, type, topic and sender",
          "its sender proves itself to any receiver: question and message",
          "tells of a change, and nothing of what it says",
        ),
        target("cannot be http", "cannot be left out"),
        delivery("stops when the subscriber says so, in the middle of an attempt too"),
      ),
    ),
    withUrl(
      `${CHANNELS}/streaming-http-channel-2023`,
      met(
        "StreamingHTTPChannel2023",
        "MUST (type)",
        answersWith("StreamingHTTPChannel2023"),
        http(
          "StreamingHTTPChannel2023 is read with the token that it was made with, line by line",
          "StreamingHTTPChannel2023 not without one, nor with another's",
        ),
      ),
    ),
    withNote(
      "EventSourceChannel2023 is offered; LDNChannel2023 and WebPushChannel2023 are drafts, and are not offered.",
      withUrl(
        `${ED}#notification-channel-types`,
        met(
          "EventSourceChannel2023, LDNChannel2023, WebPushChannel2023",
          "MUST (type)",
          answersWith("EventSourceChannel2023"),
          http("EventSourceChannel2023 sends events whose id is the cursor, and goes on after Last-Event-ID"),
        ),
      ),
    ),
  ],
};

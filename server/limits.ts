/** Every limit has its unit in its name and its reason beside it. Settings may override each (`config.ts`). */
export const LIMITS = Object.freeze({
  headerBytesMax: 16_384, // Total of all header fields: room for a token and a proof, not for a flood.
  headerFieldsMax: 100,
  urlBytesMax: 8_192,
  dpopBytesMax: 4_096, // A proof with an RSA key is about 1 KB.
  tokenBytesMax: 8_192,
  headersMsMax: 10_000, // Slow headers hold a socket.
  requestMsMax: 15 * 60_000, // A 100 MiB upload over a slow line ends; a stuck one does too.
  keepAliveMsMax: 5_000,
  socketIdleMsMax: 120_000, // Nothing comes and nothing goes for this long: longer than any query, and nobody waits.
  requestsPerSocketMax: 10_000,
  connectionsMax: 2_000,
  pathSegmentsMax: 32, // Containers deeper than this are a mistake or an attack.
  segmentBytesMax: 255,
  slugBytesMax: 128,
  rdfBytesMax: 4 * 1024 * 1024,
  rdfQuadsMax: 100_000,
  jsonDepthMax: 64, // Recursive parsers overflow the stack on deep nesting.
  turtleDepthMax: 256,
  literalBytesMax: 1024 * 1024,
  iriBytesMax: 8_192,
  patchBytesMax: 1024 * 1024,
  aclBytesMax: 256 * 1024,
  aclAuthorizationsMax: 1_000,
  aclGroupsMax: 100, // Each is a document to look up.
  groupMembersMax: 10_000,
  blobBytesMax: 100 * 1024 * 1024,
  inlineBytesMax: 256 * 1024, // Larger binaries become files of their own.
  accountBodyBytesMax: 64 * 1024,
  queryTextBytesMax: 64 * 1024,
  queryDepthMax: 64,
  queryPatternsMax: 200,
  queryOperatorsMax: 1_000, // Sums and products nest to the left: evaluators go as deep as there are.
  queryRegexBytesMax: 1_024,
  updateDocumentsMax: 500, // Documents that one update changes: each is some records of one commit …
  updateOthersDocumentsMax: 50, // … and of somebody else's than the owner's, for each is an entry in the journal.
  queryQuadsMax: 2_500_000, // Statements of the documents of one pod that one query ranges over: 250 MB.
  queryHeapMbMax: 512, // Of one query thread; beyond it only that thread ends.
  queryLoadMsMax: 30_000, // Reading documents for the first query on a pod; later ones find them read.
  queryPodsMax: 2_000, // That one query may be asked of.
  queryHeldMax: 2_000_000, // Rows, groups and terms that one evaluation keeps at once: about 200 MB.
  queryRoomBytesMax: 4 * 1024 * 1024, // Of a long answer, how far the evaluation may be ahead of whoever reads it.
  queryStallMsMax: 5_000, // How long an evaluation waits for its reader to take anything at all.
  queryReadMsMax: 60_000, // How long it waits for a slow reader, all in all.
  queryIndexBytesMax: 256 * 1024 * 1024, // Indexes that a query thread keeps between queries; about 100 bytes a statement.
  queryIndexRestMs: 2_000, // How long after an answer the pod's index is put in order, for then nobody waits.
  queryIdleMsMax: 10 * 60_000, // An idle query thread gives its memory back.
  queryMsMax: 5_000, // A vendor's query may not outlive its welcome.
  queryOwnerMsMax: 30_000,
  queryRowsMax: 10_000,
  queryOwnerRowsMax: 100_000,
  queryResultBytesMax: 16 * 1024 * 1024,
  queryOwnerResultBytesMax: 64 * 1024 * 1024,
  queriesPerAgentMax: 2,
  queriesRunningMax: 4,
  queriesWaitingMax: 16,
  shapeQuadsMax: 10_000,
  shapeDepthMax: 32,
  shapeMsMax: 2_000,
  shapePatternLengthMax: 1_000, // Characters of an sh:pattern.
  shapePatternStatesMax: 2_000, // A pattern's repetitions, written out: each costs a step per character it is tried on.
  egressConnectMsMax: 2_000,
  egressMsMax: 5_000,
  egressRedirectsMax: 3,
  egressWebIdBytesMax: 256 * 1024,
  egressJwksBytesMax: 64 * 1024,
  egressDiscoveryBytesMax: 64 * 1024,
  egressClientBytesMax: 8 * 1024,
  egressOriginsPerSecondMax: 5,
  egressFailureMsKept: 60_000, // A failed fetch is not tried again for this long.
  egressOriginsPerIpMax: 10, // New origins a minute on behalf of one network that has proved nothing yet …
  egressFetchesPerIpMax: 120, // … and fetches: strangers cannot use this server to knock on others' doors.
  webhookUrlBytesMax: 2_048,
  webhooksPerAgentMax: 20, // In one pod: they cost something though nobody is there.
  webhooksPerPodMax: 100,
  webhookTriesPerAgentMax: 10, // Addresses that one agent may have asked a minute whether they want messages …
  webhookTriesPerTargetMax: 30, // … and how often one origin is asked, whoever wants it.
  webhookAnswerBytesMax: 1_024, // Of a receiver's answer: what is longer is not read.
  webhooksSendingMax: 32, // Messages under way at once, in all …
  webhooksSendingPerPodMax: 8, // … of one pod …
  webhooksSendingPerTargetMax: 4, // … and to one origin, so that a slow one holds up nobody else.
  webhookRetryMsMin: 1_000, // Doubled each time …
  webhookRetryMsMax: 3_600_000, // … up to this, and shortened by up to a half, so that not all come back at once.
  webhookRetryAfterMsMax: 24 * 3_600_000, // A receiver may ask for this much rest.
  webhookGiveUpMs: 3 * 24 * 3_600_000, // A receiver that takes nothing for so long gets nothing any more.
  webhookLeaseMs: 20_000, // Servers that share a database: for how long one sends for all unless it says so again.
  senderTokenMsMax: 5 * 60_000,
  agentMsKept: 5 * 60_000, // How long a verified token and a WebID's issuers are believed without another look.
  agentsKept: 10_000,
  issuerKeysMsKept: 10 * 60_000,
  issuerRefetchMsMin: 30_000, // An unknown key id makes us look again at most this often.
  accessTokenMsMax: 30 * 60_000, // Signed and not revocable, so short; clients renew it by refresh token.
  credentialTokenMsMax: 60 * 60_000, // Programs with client credentials have no refresh token.
  pageTokenMsMax: 5 * 60_000, // For the owner's own pages, which can ask for another at any time.
  refreshTokenIdleMsMax: 14 * 24 * 3_600_000,
  refreshTokenMsMax: 90 * 24 * 3_600_000,
  interactionMsMax: 15 * 60_000, // Time to log in and consent.
  registrationsPerIpMax: 20, // Client registrations a minute from one network: each is a record.
  authorizationsPerIpMax: 120, // Authorization requests a minute from one network: each is a record.
  signingKeysMsMax: 90 * 24 * 3_600_000, // After this long the provider signs with new keys …
  signingKeysMsAhead: 3_600_000, // … which are published for this long before: others keep what they have read of ours.
  proofPastMsMax: 60_000, // How old a DPoP proof may be …
  proofFutureMsMax: 5_000, // … and how far ahead a clock may run.
  proofsRemembered: 500_000,
  proofsPerKeyMax: 100_000,
  setupLinkMsMax: 30 * 60_000,
  sessionIdleMsMax: 14 * 24 * 3_600_000,
  sessionMsMax: 90 * 24 * 3_600_000,
  accountsPasskeysMax: 20,
  accountCredentialsMax: 50,
  accountSessionsMax: 50, // The oldest goes when another begins.
  passwordCharactersMin: 15, // A password alone must withstand guessing. https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver
  passwordBytesMax: 1_024,
  passwordChecksRunning: 2, // Each takes 19 MiB and some 40 ms.
  passwordChecksWaitingMax: 32,
  loginsPerAccountMax: 10,
  loginsPerAccountMsMax: 15 * 60_000,
  loginsPerIpMax: 30,
  loginsPerIpMsMax: 5 * 60_000,
  ratesRemembered: 50_000,
  challengeMsMax: 5 * 60_000, // How long a person may look for the passkey.
  challengesRemembered: 10_000,
  freshLoginMsMax: 15 * 60_000, // Ways to sign in change only soon after signing in: a stolen cookie is not enough.
  undoMsMax: 10 * 60_000,
  undosPerAccountMax: 20,
  typesPerDocumentMax: 64, // In the type index; a document with more is a catalogue.
  typesRemembered: 500_000, // Documents whose types are known, of all pods together.
  typesMsMax: 10_000, // Reading documents for a type search; the next one goes on from there.
  searchValuesMax: 64, // Addresses in the filter of a type search …
  searchCharactersMax: 4_096, // … and characters of them all.
  searchesPerAgentMax: 2,
  searchesRunningMax: 4,
  noticeBytesMax: 32 * 1024, // One notice to an inbox: a message, not a file.
  noticesPerSenderMax: 30, // In an hour, of one agent in one inbox; all strangers who are not logged in are one …
  noticesPerInboxMax: 200, // … and of all together, for WebIDs cost nothing: strangers need a week to fill a pod.
  noticesMsMax: 3_600_000,
  folderRowsMax: 2_000, // What the owner's page shows of one folder.
  listingMembersMax: 20_000, // A longer listing of a container is streamed: never whole in memory.
  pageMembersMax: 1_000, // Of one page of a listing.
  podBytesMax: 1024 ** 3, // Quota of a pod, unless the operator gives it another.
  podResourcesMax: 1_000_000,
  versionsMax: 20, // Of one document: what it was before. Of more, those that stood for the shortest time go.
  versionMsKept: 30 * 24 * 3_600_000,
  trashMsKept: 30 * 24 * 3_600_000,
  reclaimItemsMax: 200, // What one write may push out of the trash and of histories when the pod is full.
  sweepGroupsMax: 20_000, // Days of pods that one hourly sweep looks into …
  sweepItemsMax: 10_000, // … and what it clears away at most …
  sweepItemsPerCommit: 50, // … in small steps.
  trashRowsMax: 2_000, // What the owner's page shows of the trash.
  restrictionsMax: 1_000, // Frozen places of a pod: they are one record.
  exportsRunningMax: 4, // Each holds a state of the database until its last byte is taken.
  exportMsMax: 6 * 3_600_000, // The write-ahead log grows for as long as a state is held.
  archiveEntriesMax: 10_000, // Of an archive without manifest; with one, the pod's quota counts.
  archiveRatioMax: 20, // Without manifest: what unpacks to more is made to do harm …
  archiveSlackBytes: 16 * 1024 * 1024, // … or too small to do any.
  archiveIssuesListed: 100, // Further ones are only counted.
  journalLooksPerAgentMax: 600, // A minute, each an entry of its own: ten a second. Beyond it what is alike is counted together.
  writesPerAgentMax: 600, // A minute in one pod, of anybody but its owner: each is an entry of the journal, which no quota counts.
  journalTallyKeysMax: 40, // Different things counted a minute in one pod: each becomes an entry …
  journalTallyKeysPerAgentMax: 8, // … so nobody, and not all strangers together, take them all.
  journalTallyTotalMax: 20_000, // In all pods; then what was counted is written before the minute ends.
  journalQueryEntriesMax: 50_000, // Entries of one pod's journal that a query may range over at once.
  journalPageSecondsKept: 3_600, // How long a full page may be shown again without asking; what it says may be erased.
  channelsPerPodMax: 1_000,
  channelsPerAgentMax: 50, // In one pod; the oldest that nobody listens to goes when another begins.
  channelMsMax: 30 * 24 * 3_600_000, // A subscription that nobody renews is one that nobody remembers.
  subscriptionBytesMax: 16 * 1024,
  subscriptionsPerAgentMax: 120, // A minute of anybody but the pod's owner; strangers count by network. Each is a record.
  listenersMax: 1_000, // Open connections for notifications: half of all, so that requests are still answered …
  listenersPerPodMax: 500,
  listenersPerAgentMax: 50, // … and of strangers, from one network.
  legacyTopicsMax: 500, // Of one agent in the older protocol, over all its connections; of strangers, of one network.
  socketMessageBytesMax: 16 * 1024, // Nothing that a client may say is longer.
  socketMessagesPerMinuteMax: 600,
  socketTicketMsMax: 12 * 3_600_000, // How long the address of live updates is good that a logged-in reader is given.
  listenerPingMs: 25_000, // Less than proxies wait for a sign of life; who gives none until the next is gone.
  listenerStuckMsMax: 30_000, // Who takes nothing for so long is cut off, and may go on later where that was.
  listenerRecheckMs: 60_000, // How often access is looked at when nothing happens: groups may stand on other pods.
  replayEntriesMax: 100_000, // Of the journal, for one who comes back; who was away for longer reads anew.
  feedEntriesKept: 512, // Of a pod's journal in memory, for who listens; who is further behind reads it from the store.
  feedPageEntries: 256,
  feedPollMs: 5_000, // Where other servers commit to the same database, and their word of it does not come.
  seriesBatchBytesMax: 32 * 1024 * 1024, // One batch of observations …
  seriesBatchObservationsMax: 100_000, // … is one commit.
  seriesPageObservationsMax: 4_096, // A page that grows is written anew: large ones cost, small ones are many.
  seriesPageBytesMax: 2 * 1024 * 1024,
  seriesFutureMsMax: 5 * 60_000, // A stream goes on from its newest observation: a clock that is ahead would stop it.
  seriesRangeObservationsMax: 1_000_000, // What one request for a range may look at: 20 MB.
  seriesRangePagesMax: 20_000,
  seriesRangesPerAgentMax: 4,
  seriesRangesRunningMax: 16,
  seriesColumnsBytesMax: 64 * 1024 * 1024, // Observations as numbers, of pages that were read before.
  seriesExpiredPagesMax: 100, // What one batch clears away of what was kept long enough.
  consentBytesMax: 64 * 1024, // A request for access, a grant, or a receipt: 16 policies are about 20 KB.
  requestsOpenPerVendorMax: 3, // In one pod: whoever wants more waits for what the owner says.
  requestsOpenPerPodMax: 200, // Of all vendors together, for WebIDs cost nothing.
  requestsPerVendorMax: 30, // An hour, of one vendor in one pod …
  requestsPerIpMax: 120, // … from one network, whoever it says it is …
  requestsPerPodMax: 300, // … and of all together.
  requestsMsMax: 3_600_000,
  requestListsMax: 30, // A minute, from one network in one pod that is not the asker's: each goes through all there are.
  credentialSearchesMax: 60, // A minute, from one network: each may look into every pod.
  requestsKeptMax: 500, // In one pod: of more, the oldest that came to nothing are forgotten.
  requestOpenMsMax: 30 * 24 * 3_600_000, // Then it is Expired: no answer is never a yes.
  requestExpectedMsMax: 15 * 60_000, // How long a person who sends a vendor here waits for its question.
  requestProofMsMax: 3_600_000, // How old a signature on a request may be: what somebody found later is worth nothing.
  requestMsKept: 430 * 24 * 3_600_000, // After its end: longer than any grant that came of it.
  governancePollMs: 10_000, // Between two looks at what a registry elsewhere says of vendors: a delisting is to be everywhere within 60 s.
  recordBytesMax: 16 * 1024 * 1024, // Larger content is a blob.
  transactionWritesMax: 10_000, // One commit may not hold up all others.
  transactionBytesMax: 64 * 1024 * 1024, // All of a transaction is in memory at once.
  recordCacheBytesMax: 64 * 1024 * 1024, // Opened records kept in memory.
  readersMax: 64, // Reads at once that must look into the database, each with a connection of its own.
  databaseCommitsMax: 8, // Connections to PostgreSQL that commit; as many pods commit at the same time.
  databaseSnapshotsMax: 12, // Connections that hold a state of the database, for what cannot be read from one generation.
  databaseWaitMsMax: 10_000, // For a connection, or for a database that restarts; then the client is told to come again.
  databaseStartMsMax: 60_000, // For a database that is not up yet when the server starts.
  diskReserveBytes: 16 * 1024 * 1024, // Kept free, so that deleting and erasing still work when the disk is full.
  orphanMsKept: 3_600_000, // How long an uploaded file may wait for the record that names it.
  transactionTriesMax: 64, // An optimistic transaction that lost so often reports write-conflict.
  batchIdentifiersMax: 1_000,
  batchesRunningMax: 64, // Each holds what it found, some megabytes, for as long as its client reads …
  batchesPerNetworkMax: 16,
  batchMsMax: 30_000, // … and it must read on.
  bundlesKeptBytesMax: 32 * 1024 * 1024, // Answers of the newest epoch, given again as they are.
  feedLeavesBehindMax: 100_000, // Of a log's feed: who is further behind reads tiles, which any cache can give.
  filterLeavesMax: 2_000_000, // Of one day: a filter of two megabytes, made in some seconds.
  operationsWaitingPerNetworkMax: 2_500, // Half of what may wait for an epoch: who floods a zone leaves the rest of it to others.
  operationsRefusedMax: 120, // A minute, from one network: each costs signatures to be checked, and comes to nothing.
  operationBytesMax: 2_048, // A signed passport operation; 8 KB with post-quantum keys.
  integrationMsMax: 10_000, // How long somebody who sends an operation waits for its proof; then it is told whether it is taken.
  epochOperationsMax: 500, // Of one epoch of a zone: some 4,000 records in the commit that publishes it.
  epochQueueMax: 5_000, // Operations that wait for an epoch: ten seconds' worth.
  importBytesMax: 100 * 1024 * 1024, // One file; ten years of a bank account are about 10 MB.
  importRecordBytesMax: 1024 * 1024, // One card, booking or row: more is a mistake or an attack.
  importFieldBytesMax: 64 * 1024,
  importColumnsMax: 200,
  importXmlDepthMax: 64,
  importRecordsMax: 1_000_000,
  importRecordsHeld: 200_000, // What must be seen in full before it can be written: rows of orders, readings without a type.
  importDaysHeld: 64, // Days of readings that wait for more, for each meter: files run forwards or backwards, hardly across.
  importWarningsMax: 100, // Further ones are only counted.
  importDocumentsListed: 10_000, // Of one import, in its own document.
  importBatchDocuments: 200, // Written in one go.
  grantsActiveMax: 1_000, // Of one pod: all that they permit is one record, which every decision may look at.
  grantUnusedMsMax: 90 * 24 * 3_600_000, // A grant that nobody uses for so long rests until the owner lets it go on.
  countersignMsMax: 7 * 24 * 3_600_000, // How long a vendor may take to countersign the receipt of a grant.
  grantUsesPerMinuteMax: 600, // By one vendor in one pod, where no grant says less: each use is a receipt on disk.
  grantReadsUnremarkable: 100, // Documents told of in a day; fewer are never unusual.
  attentionMax: 1_000, // Things that the owner of a pod should look at and has not; more are counted together.
  honeyPathsMax: 100, // Documents of a pod that nobody with good reason reads: more would be found in the way.
  breachEntriesMax: 1_000_000, // Entries of the journal that one breach notice is made of.
  receiptsPerGrantMax: 10_000, // Receipts of uses, the newest; how many there were in all stays known.
  viewsMax: 100, // Of one pod's owner; vendors' are as many as their grants.
  viewBodyBytesMax: 128 * 1_024, // Of a view's definition: room for the longest query.
  viewTriplesMax: 100_000, // That one view is made of: a year of readings every quarter of an hour, and what one document may have.
  viewsReadMax: 50, // Views of one vendor in one pod that a query ranges over.
  viewsKeptBytesMax: 64 * 1024 * 1024, // Views that are kept until what they are made of changes.
  viewMsMax: 15_000, // For the thread that makes a large one.
  witnessMsMax: 5_000, // For one answer of a witness: two messages and a sync of its disk; who is slower is asked again.
  witnessAnswerBytesMax: 64 * 1024, // A cosignature of each type for a dozen keys.
  witnessBodyBytesMax: 256 * 1024, // A checkpoint with all signatures that a note may have, and a proof.
  witnessRequestsPerMinute: 6_000, // From one network: several logs that publish every 200 ms, and what is tried again.
  rootPostsPerIpMax: 60, // A minute from one network, of what the root must verify: ports, vetoes, and what no zone takes.
  witnessEvidenceMax: 1_000, // Contradictions kept; one is enough to show what a log is worth.
  viewAnswerMs: 40, // Answers from views leave at multiples of this: how long one took does not tell whether it was made anew.
});
/** Settings may override each. */
export type Limits = { readonly [name in keyof typeof LIMITS]: number };

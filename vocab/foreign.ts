/**
 * Terms of established vocabularies that this project uses: prefix → [namespace, names]. `terms.ts` is made from this.
 * (VoID is `voidTerms`: its usual prefix is a word of TypeScript.)
 */
export const FOREIGN: Readonly<Record<string, readonly [namespace: string, names: string]>> = {
  acl: [
    "http://www.w3.org/ns/auth/acl#",
    "Access AuthenticatedAgent Authorization Append Control Read Write accessControl accessTo agent agentClass agentGroup condition default mode origin owner",
  ],
  acp: [
    "http://www.w3.org/ns/solid/acp#",
    "AccessControl AccessControlResource AuthenticatedAgent AuthenticatedClient AuthenticatedIssuer CreatorAgent Matcher OwnerAgent Policy PublicAgent PublicClient PublicIssuer accessControl agent allOf allow anyOf apply attribute client creator deny grant issuer memberAccessControl noneOf owner resource target vc",
  ],
  as: [
    "https://www.w3.org/ns/activitystreams#",
    "Accept Activity Offer Read Reject Undo Update actor inbox instrument object origin published result summary target totalItems",
  ],
  cert: ["http://www.w3.org/ns/auth/cert#", "PublicKey RSAPublicKey exponent key modulus"],
  dcterms: [
    "http://purl.org/dc/terms/",
    "conformsTo created creator date description extent format hasPart hasVersion identifier isPartOf issued language license modified publisher references source subject title type",
  ],
  dpv: [
    "https://w3id.org/dpv#",
    "Access AutomatedDecisionMaking Consent ConsentExpired ConsentGiven ConsentReceipt ConsentRecord ConsentRefused ConsentRequestDeferred ConsentRequested ConsentRevoked ConsentStatus ConsentWithdrawn DataController DataSubject Delete Erase Export FullAutomation Modify PersonalData Purpose Query RenewedConsentGiven Restrict RightExerciseActivity Store WithdrawConsent hasAutomationLevel hasConsentControl hasConsentStatus hasDataController hasDataSubject hasDuration hasIdentifier hasIndicationMethod hasJurisdiction hasLegalBasis hasLocation hasName hasNotice hasPersonalData hasProcessing hasPurpose hasRecipient hasRecordOfActivity hasRight hasStatus hasStorageCondition isIndicatedAtTime isIndicatedBy",
  ],
  dpv27560: ["https://w3id.org/dpv/schema/dpv-27560#", "receipt receipt-eu-gdpr record record-eu-gdpr"],
  foaf: [
    "http://xmlns.com/foaf/0.1/",
    "Agent Document Group Organization Person PersonalProfileDocument account familyName givenName homepage img isPrimaryTopicOf knows maker mbox member name nick phone primaryTopic birthday",
  ],
  ieee7012: [
    "https://w3id.org/dpv/standards/ieee/7012#",
    "Agreement PDC-AI PDC-GOOD PDC-INTENT SD-BASE SD-BASE-A SD-BASE-AT SD-BASE-ATP SD-BASE-ATP-S3P SD-BASE-DP TPR",
  ],
  ldp: [
    "http://www.w3.org/ns/ldp#",
    "BasicContainer Container NonRDFSource Page PreferContainment PreferMembership PreferMinimalContainer RDFSource Resource constrainedBy contains inbox member",
  ],
  ldes: [
    "https://w3id.org/ldes#",
    "EventSource EventStream RetentionPolicy fullLogDuration immutable pollingInterval retentionPolicy startingFrom timestampPath versionOfPath",
  ],
  lws: [
    "https://www.w3.org/ns/lws#",
    "AccessGrant AccessGrantService AccessPolicy AccessProfile AccessRequest AccessRequestService Container DataResource Storage StorageResource access client create mediaType service serviceEndpoint storage type",
  ],
  notify: [
    "http://www.w3.org/ns/solid/notifications#",
    "EventSourceChannel2023 StreamingHTTPChannel2023 WebSocketChannel2023 WebhookChannel2023 accept channel channelType endAt feature rate receiveFrom sendTo sender startAt state subscription topic",
  ],
  odrl: [
    "http://www.w3.org/ns/odrl/2/",
    "Action Agreement Asset AssetCollection Constraint Duty LogicalConstraint Offer Party PartyCollection Permission Policy Prohibition Request Rule Set action and andSequence anonymize assignee assigner compensate conflict consequence constraint count dateTime delete deliveryChannel duty elapsedTime eq event gt gteq hasPart hasPolicy includedIn inform inheritFrom invalid isA isAllOf isAnyOf isNoneOf isPartOf leftOperand lt lteq modify neq nextPolicy obligation operand operator or output partOf perm payAmount permission profile prohibit prohibition purpose read recipient refinement remedy rightOperand rightOperandReference source spatial status target uid unit use xone",
  ],
  owl: ["http://www.w3.org/2002/07/owl#", "Ontology deprecated sameAs versionInfo"],
  posix: ["http://www.w3.org/ns/posix/stat#", "mtime size"],
  prov: [
    "http://www.w3.org/ns/prov#",
    "Activity Agent Entity SoftwareAgent endedAtTime generated generatedAtTime invalidated startedAtTime used value wasAssociatedWith wasAttributedTo wasDerivedFrom wasGeneratedBy wasInvalidatedBy",
  ],
  qudt: ["http://qudt.org/schema/qudt/", "QuantityValue hasUnit numericValue"],
  rdf: [
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "HTML List Property Statement first langString nil object predicate rest subject type value",
  ],
  rdfs: [
    "http://www.w3.org/2000/01/rdf-schema#",
    "Class Literal Resource comment domain isDefinedBy label member range seeAlso subClassOf subPropertyOf",
  ],
  schema: [
    "https://schema.org/",
    "ContactPoint Demand IndividualProduct Invoice MoneyTransfer MonetaryAmount Offer Order OrderCancelled OrderDelivered OrderInTransit OrderItem OrderPaymentDue OrderProblem OrderProcessing OrderReturned OrderStatus Organization OwnershipInfo Person PostalAddress Product ProductModel QuantitativeValue Thing addressCountry addressLocality addressRegion amount birthDate brand currency customer dateCreated description email endTime familyName gender givenName gtin identifier image itemCondition knowsLanguage memberOf model name orderDate orderItemNumber orderItemStatus orderNumber orderQuantity orderStatus orderedItem postalCode price priceCurrency productID seller serialNumber sku startTime status streetAddress telephone totalPaymentDue url validFrom validThrough value valueAddedTaxIncluded version datePublished startDate latitude longitude unitCode endDate",
  ],
  sd: [
    "http://www.w3.org/ns/sparql-service-description#",
    "BasicFederatedQuery Dataset DereferencesURIs EmptyGraphs Graph NamedGraph RequiresDataset SPARQL11Query SPARQL11Update Service UnionDefaultGraph availableGraphs defaultDataset defaultGraph endpoint feature graph inputFormat name namedGraph resultFormat supportedLanguage",
  ],
  sec: [
    "https://w3id.org/security#",
    "DataIntegrityProof Multikey assertionMethod controller created cryptosuite proof proofPurpose proofValue publicKeyMultibase verificationMethod",
  ],
  sh: [
    "http://www.w3.org/ns/shacl#",
    "BlankNode BlankNodeOrIRI BlankNodeOrLiteral IRI IRIOrLiteral Info Literal NodeShape PropertyGroup PropertyShape Shape ValidationReport ValidationResult Violation Warning alternativePath and class closed codeIdentifier conforms datatype deactivated declare defaultValue description detail disjoint equals flags focusNode group hasValue ignoredProperties in inversePath languageIn lessThan lessThanOrEquals maxCount maxExclusive maxInclusive maxLength message minCount minExclusive minInclusive minLength name node nodeKind not or order path pattern property qualifiedMaxCount qualifiedMinCount qualifiedValueShape result resultMessage resultPath resultSeverity severity sourceConstraint sourceConstraintComponent sourceShape targetClass targetNode targetObjectsOf targetSubjectsOf uniqueLang value xone",
  ],
  skos: [
    "http://www.w3.org/2004/02/skos/core#",
    "Concept ConceptScheme altLabel broader closeMatch definition example exactMatch hasTopConcept inScheme narrower notation note prefLabel topConceptOf",
  ],
  solid: [
    "http://www.w3.org/ns/solid/terms#",
    "Account InsertDeletePatch ListedDocument Patch TypeIndex TypeRegistration UnlistedDocument account deletes forClass inserts instance instanceContainer notification notificationGateway oidcIssuer oidcRegistration owner patches privateTypeIndex publicTypeIndex storageDescription storageQuota storageUsage where",
  ],
  sosa: [
    "http://www.w3.org/ns/sosa/",
    "FeatureOfInterest ObservableProperty Observation ObservationCollection Platform Result Sensor hasFeatureOfInterest hasMember hasResult hasSimpleResult hosts isHostedBy isObservedBy madeBySensor madeObservation observedProperty observes phenomenonTime resultTime",
  ],
  space: [
    "http://www.w3.org/ns/pim/space#",
    "ConfigurationFile ControlledStorage PersonalStorage PublicStorage SharedStorage Storage preferencesFile storage workspace",
  ],
  tree: [
    "https://w3id.org/tree#",
    "Collection GreaterThanOrEqualToRelation GreaterThanRelation LessThanOrEqualToRelation LessThanRelation Node Relation member node path relation remainingItems shape value view viewDescription",
  ],
  unit: [
    "http://qudt.org/vocab/unit/",
    "A DEG_C DEG_F FT3 GAL_IMP GAL_US J KiloW-HR L M3 MJ V V-A V-A-HR V-A_Reactive V-A_Reactive-HR W W-HR THM_US BTU_IT",
  ],
  wgs84: ["http://www.w3.org/2003/01/geo/wgs84_pos#", "lat long"],
  vcard: [
    "http://www.w3.org/2006/vcard/ns#",
    "Address AddressBook Cell Email Fax Group Home Individual Kind Organization Pager Text Voice Work additional-name adr anniversary bday category country-name email family-name fn given-name hasAddress hasCategory hasCountryName hasEmail hasFN hasFamilyName hasGivenName hasLanguage hasMember hasName hasNote hasPhoto hasTelephone hasUID hasURL honorific-prefix honorific-suffix inAddressBook includesGroup language locality nameEmailIndex nickname note organization-name organization-unit postal-code region rev role street-address tel title url value",
  ],
  voidTerms: ["http://rdfs.org/ns/void#", "Dataset sparqlEndpoint triples vocabulary"],
  xsd: [
    "http://www.w3.org/2001/XMLSchema#",
    "anyURI base64Binary boolean byte date dateTime dateTimeStamp dayTimeDuration decimal double duration float gDay gMonth gMonthDay gYear gYearMonth hexBinary int integer language long negativeInteger nonNegativeInteger nonPositiveInteger positiveInteger short string time unsignedByte unsignedInt unsignedLong unsignedShort yearMonthDuration",
  ],
};

/** Types of media as RDF classes: `${MEDIA_TYPE}image/png#Resource`. @see https://www.w3.org/ns/iana/media-types/ */
export const MEDIA_TYPE = "http://www.w3.org/ns/iana/media-types/";

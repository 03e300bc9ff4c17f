/**
 * What the Data Privacy Vocabulary 2.3 says of purposes, categories of personal data and legal bases, as bare facts: long,
 * for each line is a term and those directly below it. Names of DPV (https://w3id.org/dpv) by its contributors, W3C licence.
 */

/** In https://w3id.org/dpv#. DPV puts RightsFulfilment under a legal basis; here it stands with the purposes. */
export const PURPOSE_TABLE = `
Purpose: AccountManagement CommercialPurpose CommunicationManagement CustomerManagement EnforceSecurity
  EstablishContractualAgreement FulfilmentOfObligation HumanResourceManagement Marketing
  NonCommercialPurpose OrganisationGovernance Personalisation PublicBenefit RecordManagement
  ResearchAndDevelopment RightsFulfilment ServiceManagement VendorManagement
Advertising: PersonalisedAdvertising PoliticalCampaign RecruitmentAdvertising
CommercialPurpose: CommercialResearch
CommunicationManagement: CommunicationForCustomerCare
CustomerCare: CommunicationForCustomerCare
CustomerManagement: CustomerCare CustomerClaimsManagement CustomerOrderManagement
  CustomerRelationshipManagement CustomerSolvencyMonitoring
CustomerRelationshipManagement: ImproveInternalCRMProcesses
EnforceSecurity: EnforceAccessControl IdentityAuthentication MisusePreventionAndDetection Verification
FraudPreventionAndDetection: CounterMoneyLaundering MaintainFraudDatabase
FulfilmentOfObligation: FulfilmentOfContractualObligation LegalCompliance ProtectionOfIPR
HumanResourceManagement: PersonnelManagement
Marketing: Advertising DirectMarketing PublicRelations SocialMediaMarketing
MisusePreventionAndDetection: FraudPreventionAndDetection
NonCommercialPurpose: NonCommercialResearch
OptimisationForConsumer: OptimiseUserInterface
OptimisationForController: ImproveExistingProductsAndServices ImproveInternalCRMProcesses
  IncreaseServiceRobustness InternalResourceOptimisation
OrganisationGovernance: DisputeManagement MemberPartnerManagement OrganisationComplianceManagement
  OrganisationRiskManagement
Personalisation: PersonalisedAdvertising PoliticalCampaign ServicePersonalisation
PersonalisedAdvertising: TargetedAdvertising
PersonnelHiring: PersonnelOnboarding RecruitmentAdvertising RecruitmentManagement
PersonnelManagement: PersonnelHiring PersonnelMonitoring PersonnelOffboarding PersonnelPayment
  PersonnelPerformanceManagement PersonnelPromotionManagement PersonnelTerminationManagement
  PersonnelWorkloadManagement
PersonnelMonitoring: PersonnelBehaviourMonitoring PersonnelPerformanceManagement
  PersonnelPerformanceMonitoring
PersonnelPerformanceManagement: PersonnelPerformanceEvaluation PersonnelPerformanceMonitoring
  PersonnelPerformancePrediction
ProvidePersonalisedRecommendations: ProvideEventRecommendations ProvideProductRecommendations
PublicBenefit: CombatClimateChange Counterterrorism DataAltruism ImproveHealthcare ImprovePublicServices
  ImproveTransportMobility ProtectionOfNationalSecurity ProtectionOfPublicSecurity
  ProvideOfficialStatistics PublicPolicyMaking
RecruitmentAdvertising: RecruitmentTargetedAdvertising
RecruitmentApplicationManagement: RecruitmentApplicationAnalysis RecruitmentApplicationScreening
RecruitmentInterviewManagement: RecruitmentInterviewAnalysis RecruitmentInterviewAssessment
  RecruitmentInterviewScheduling
RecruitmentManagement: RecruitmentApplicantBackgroundCheck RecruitmentApplicantCriminalBackgroundCheck
  RecruitmentApplicantInformationAuthentication RecruitmentApplicantSelection
  RecruitmentApplicationManagement RecruitmentInterviewManagement
RequestedServiceProvision: DeliveryOfGoods
ResearchAndDevelopment: AcademicResearch CommercialResearch NonCommercialResearch ScientificResearch
SellProducts: SellDataToThirdParties SellInsightsFromData SellProductsToDataSubject
ServiceManagement: PaymentManagement RepairImpairments ServiceAccessDetermination ServiceMonitoring
  ServiceOptimisation ServicePersonalisation ServiceProvision ServiceRegistration
ServiceMonitoring: ServiceUsageAnalytics
ServiceOptimisation: OptimisationForConsumer OptimisationForController
ServicePersonalisation: PersonalisedBenefits ProvidePersonalisedRecommendations
  UserInterfacePersonalisation
ServiceProvision: RequestedServiceProvision SearchFunctionalities SellProducts TechnicalServiceProvision
TargetedAdvertising: RecruitmentTargetedAdvertising
VendorManagement: VendorPayment VendorRecordsManagement VendorSelectionAssessment
Verification: AgeVerification IdentityVerification
`;

/** In https://w3id.org/dpv/pd#, but for the two that others stand under, which are in https://w3id.org/dpv#. */
export const CATEGORY_TABLE = `
PersonalData: External Financial Historical Household Internal Profile Social Tracking
AccountIdentifier: FinancialAccountNumber PaymentCardNumber
Age: AgeRange BirthDate
AgeRange: AgeExact
Authenticating: PINCode Password SecretText
Behavioural: Attitude AuthenticationHistory BrowsingBehaviour CallLog Demeanour LinkClicked
  PerformanceAtWork Personality Reliability ServiceConsumptionBehaviour SocialBehaviour VehicleUsage
Biometric: FacialExpression FacialPrint Fingerprint Retina
BirthPlace: BirthCountry
BrowsingBehaviour: BrowserHistory BrowsingReferral
Communication: EmailContent SocialMedia SocialMediaCommunication VoiceCommunicationRecording VoiceMail
Contact: EmailAddress PhysicalAddress TelephoneNumber
Country: BirthCountry
Credit: CreditCapacity CreditRecord CreditStanding CreditWorthiness
CreditWorthiness: CreditScore
Criminal: CriminalCharge CriminalConviction CriminalOffence CriminalPardon
CurrentLocation: GPSCoordinate
Demographic: Geographic IncomeBracket PhysicalTrait
DeviceBased: BrowserFingerprint DeviceSoftware IPAddress MACAddress
DeviceSoftware: DeviceApplications DeviceOperatingSystem
Education: EducationExperience EducationQualification EducationTraining
EmailAddress: EmailAddressPersonal EmailAddressWork
EmploymentHistory: CurrentEmployment PastEmployment
Ethnicity: EthnicOrigin Race
External: Behavioural Citizenship Demographic Ethnicity Identifying Language MedicalHealth Nationality
  PersonalDocuments PhysicalCharacteristic Sexual Vehicle
Family: FamilyStructure Relationship
FamilyStructure: Divorce Marriage Offspring Parent Sibling
Favourite: FavouriteColour FavouriteFood FavouriteMusic
Financial: FinancialAccount FinancialStatus Insurance Ownership Transactional
FinancialAccount: AccountIdentifier BankAccount PaymentCard
GroupMembership: TradeUnionMembership
Health: Genetic MentalHealth PhysicalHealth
HealthHistory: FamilyHealthHistory IndividualHealthHistory
Historical: LifeHistory
HouseOwned: ApartmentOwned
Identifying: Biometric Name OfficialID Picture UID Username VehicleLicense
Interest: Dislike Like
Internal: Authenticating Emotion KnowledgeBelief Mood Preference
KnowledgeBelief: PhilosophicalBelief ReligiousBelief TechnicalKnowledge Thought
Language: Accent Dialect
Location: BirthPlace Country CurrentLocation Domicile HomeLocation PhysicalAddress Residency TravelHistory
  WorkLocation
MedicalHealth: BloodType DNACode Disability DrugTestResult Health HealthHistory HealthRecord Prescription
OfficialID: Passport
Ownership: CarOwned HouseOwned PersonalPossession
PaymentCard: PaymentCardExpiry PaymentCardNumber
PaymentCardNumber: CreditCardNumber
PhysicalAddress: City HouseNumber Locality PostalCode Region RoomNumber Street
PhysicalCharacteristic: Age Gender HairColour Height Piercing SkinTone Tattoo Weight
Preference: Favourite Intention Interest Opinion PrivacyPreference
Professional: DisciplinaryAction Education EmploymentHistory Job PerformanceAtWork
  ProfessionalCertification ProfessionalEvaluation ProfessionalExperience ProfessionalInterview
  ProfessionalTraining Reference Salary School WorkEnvironment WorkHistory
ProfessionalExperience: WorkExperience
Profile: GroupProfile IndividualProfile
PublicLife: Character CommunicationsMetadata GeneralReputation Interaction MaritalStatus
  PoliticalAffiliation PoliticalOpinion Religion SocialStatus
SensitivePersonalData: Vulnerability
ServiceConsumptionBehaviour: TVViewingBehaviour
Sexual: Fetish Proclivity SexualHistory SexualPreference
Social: Communication Criminal Family Professional PublicLife SocialBehaviour SocialNetwork
SocialMedia: PubliclyAvailableSocialMedia
SocialNetwork: Acquaintance Association Connection Friend GroupMembership
Tracking: Contact DeviceBased DigitalFingerprint Identifier Location UserAgent
Transactional: Credit Income LoanRecord Purchase PurchasesAndSpendingHabit Sale Tax Transaction
Vehicle: VehicleLicense VehicleUsage
VehicleLicense: VehicalLicenseNumber VehicalLicenseRegistration
`;

/** Where special categories begin (article 9 of the GDPR): these and all below them. */
export const SPECIAL =
  "Biometric EthnicOrigin MedicalHealth PhilosophicalBelief PoliticalAffiliation PoliticalOpinion Race Religion ReligiousBelief Sexual TradeUnionMembership";

/** In https://w3id.org/dpv#, and where a name is that of an article in https://w3id.org/dpv/legal/eu/gdpr#. */
export const LEGAL_BASIS_TABLE = `
LegalBasis: A9-2-b A9-2-e A9-2-f A9-2-h Consent Contract DataTransferLegalBasis LegalObligation
  LegitimateInterest OfficialAuthorityOfController PublicInterest VitalInterest
A6-1-a: A6-1-a-explicit-consent A6-1-a-non-explicit-consent
A6-1-b: A6-1-b-contract-performance A6-1-b-enter-into-contract
A6-1-d: A6-1-d-data-subject A6-1-d-natural-person
A6-1-e: A6-1-e-official-authority A6-1-e-public-interest
A6-1-f: A6-1-f-controller A6-1-f-third-party
Consent: A6-1-a A6-1-a-explicit-consent A6-1-a-non-explicit-consent A9-2-a
Contract: A6-1-b ContractPerformance EnterIntoContract
ContractPerformance: A6-1-b-contract-performance
EnterIntoContract: A6-1-b-enter-into-contract
LegalObligation: A6-1-c
LegitimateInterest: A6-1-f A9-2-d LegitimateInterestOfController LegitimateInterestOfDataSubject
  LegitimateInterestOfThirdParty
LegitimateInterestOfController: A6-1-f-controller
LegitimateInterestOfThirdParty: A6-1-f-third-party
OfficialAuthorityOfController: A6-1-e A6-1-e-official-authority
PublicInterest: A6-1-e A6-1-e-public-interest A9-2-g A9-2-i A9-2-j
VitalInterest: A6-1-d A9-2-c VitalInterestOfNaturalPerson
VitalInterestOfDataSubject: A6-1-d-data-subject
VitalInterestOfNaturalPerson: A6-1-d-natural-person VitalInterestOfDataSubject
`;

/** Labels that are not simply the words of the name. */
export const LABELS: Readonly<Record<string, string>> = {
  "A6-1-a": "Art.6(1-a) consent",
  "A6-1-a-explicit-consent": "Art 6(1-a) explicit consent",
  "A6-1-a-non-explicit-consent": "Art.6(1-a) regular consent",
  "A6-1-b": "Art 6(1-b) contract",
  "A6-1-b-contract-performance": "Art 6(1-b) contract performance",
  "A6-1-b-enter-into-contract": "Art 6(1-b) enter into contract",
  "A6-1-c": "Art 6(1-c) legal obligation",
  "A6-1-d": "Art 6(1-d) protect vital interests",
  "A6-1-d-data-subject": "Art 6(1-d) protect vital interests of data subject",
  "A6-1-d-natural-person": "Art 6(1-d) protect vital interests of natural person",
  "A6-1-e": "Art 6(1-e) public interest or official authority",
  "A6-1-e-official-authority": "Art 6(1-e) official authority",
  "A6-1-e-public-interest": "Art 6(1-e) public interest",
  "A6-1-f": "Art 6(1-f) legitimate interest",
  "A6-1-f-controller": "Art 6(1-f) legitimate interest of controller",
  "A6-1-f-third-party": "Art 6(1-f) legitimate interest of third party",
  "A9-2-a": "Art 9(2-a) explicit consent",
  "A9-2-b": "Art 9(2-b) employment, social security, social protection law",
  "A9-2-c": "Art 9(2-c) protect vital interest",
  "A9-2-d": "Art 9(2-d) legitimate activities",
  "A9-2-e": "Art 9(2-e) data made public",
  "A9-2-f": "Art 9(2-f) judicial process",
  "A9-2-g": "Art 9(2-g) public interest",
  "A9-2-h": "Art 9(2-h) health & medicine",
  "A9-2-i": "Art 9(2-i) public interest in public health",
  "A9-2-j": "Art 9(2-j) public interest, scientific research, statistical purpose",
  CommunicationForCustomerCare: "Communication for Customer Care",
  DNACode: "DNA Code",
  DeliveryOfGoods: "Delivery of Goods",
  FraudPreventionAndDetection: "Fraud Prevention and Detection",
  FulfilmentOfContractualObligation: "Fulfilment of Contractual Obligation",
  FulfilmentOfObligation: "Fulfilment of Obligation",
  GPSCoordinate: "GPS Coordinate",
  HomeLocation: "Home Place",
  IPAddress: "IP Address",
  ImproveExistingProductsAndServices: "Improve Existing Products and Services",
  ImproveInternalCRMProcesses: "Improve Internal CRM Processes",
  ImproveTransportMobility: "Improve Transport and Mobility",
  KnowledgeBelief: "Knowledge and Beliefs",
  LegitimateInterestOfController: "Legitimate Interest of Controller",
  LegitimateInterestOfDataSubject: "Legitimate Interest of Data Subject",
  LegitimateInterestOfThirdParty: "Legitimate Interest of Third Party",
  MACAddress: "MAC Address",
  MemberPartnerManagement: "Members and Partners Management",
  MisusePreventionAndDetection: "Misuse, Prevention and Detection",
  NonCommercialPurpose: "Non-commercial Purpose",
  NonCommercialResearch: "Non-Commercial Research",
  OfficialAuthorityOfController: "Official Authority of Controller",
  OptimisationForConsumer: "Optimisation for Consumer",
  OptimisationForController: "Optimisation for Controller",
  PINCode: "PIN Code",
  PerformanceAtWork: "Performance at Work",
  ProtectionOfIPR: "Protection of Intellectual Property Rights",
  ProtectionOfNationalSecurity: "Protection of National Security",
  ProtectionOfPublicSecurity: "Protection of Public Security",
  PurchasesAndSpendingHabit: "Purchases and Spending Habit",
  RecruitmentTargetedAdvertising: "Targeted Recruitment Advertising",
  ResearchAndDevelopment: "Research and Development",
  SellDataToThirdParties: "Sell Data to Third Parties",
  SellInsightsFromData: "Sell Insights from Data",
  SellProductsToDataSubject: "Sell Products to Data Subject",
  TVViewingBehaviour: "TV Viewing Behaviour",
  UserAgent: "User agent",
  VehicalLicenseNumber: "Vehicle License Number",
  VehicalLicenseRegistration: "Vehicle License Registration",
  VitalInterestOfDataSubject: "Vital Interest of Data Subject",
  VitalInterestOfNaturalPerson: "Vital Interest of Natural Person",
  WorkLocation: "Work Place",
};

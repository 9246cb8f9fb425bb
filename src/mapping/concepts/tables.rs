//! The tables themselves. One row, one word.

use super::Concept;
use crate::mapping::systems::*;

const EVENT_OUTCOMES: &str = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome";

const fn row(word: &'static str, system: &'static str, code: &'static str, display: &'static str) -> Concept {
    Concept { word, system, code, display }
}

/// Routes of administration, §2.5. `other` has no row: it is text.
pub const ROUTE: &[Concept] = &[
    row("intravenous", SCT, "47625008", "Intravenous route"),
    row("intramuscular", SCT, "78421000", "Intramuscular route"),
    row("subcutaneous", SCT, "34206005", "Subcutaneous route"),
    row("intranasal", SCT, "46713006", "Nasal route"),
    row("oral", SCT, "26643006", "Oral route"),
    row("sublingual", SCT, "37839007", "Sublingual route"),
    row("buccal", SCT, "54471007", "Buccal route"),
    row("rectal", SCT, "37161004", "Rectal route"),
];

/// The two medicines that have a word of their own, §2.5.
pub const MEDICINE: &[Concept] =
    &[row("ketamine", RXNORM, "6130", "ketamine"), row("esketamine", RXNORM, "2119365", "esketamine")];

/// Indications, contraindications and cautions, §2.2. No ICD-10-CM code is added: it says more than the word.
pub const DIAGNOSIS: &[Concept] = &[
    row("treatment-resistant-depression", SCT, "1153570009", "Treatment resistant depression"),
    row("major-depressive-disorder", SCT, "370143000", "Major depressive disorder"),
    row("ptsd", SCT, "47505003", "Posttraumatic stress disorder"),
    row("generalized-anxiety-disorder", SCT, "21897009", "Generalized anxiety disorder"),
    row("obsessive-compulsive-disorder", SCT, "191736004", "Obsessive-compulsive disorder"),
    row("chronic-pain", SCT, "82423001", "Chronic pain"),
    row("suicidal-ideation", SCT, "6471006", "Suicidal thoughts"),
    row("burnout", SCT, "58535001", "Physical AND emotional exhaustion state"),
    row("compassion-fatigue", KAP, "compassion-fatigue", "Compassion fatigue"),
    row("vicarious-trauma", KAP, "vicarious-trauma", "Vicarious trauma"),
    row("adjustment-disorder", SCT, "17226007", "Adjustment disorder"),
    row("aneurysm", SCT, "432119003", "Aneurysm"),
    row("aortic-aneurysm", SCT, "67362008", "Aortic aneurysm"),
    row("abdominal-aortic-aneurysm", SCT, "233985008", "Abdominal aortic aneurysm"),
    row("intracranial-aneurysm", SCT, "128609009", "Intracranial aneurysm"),
    row("cerebral-arteriovenous-malformation", SCT, "234142008", "Cerebral arteriovenous malformation"),
    row("intracerebral-haemorrhage", SCT, "274100004", "Cerebral hemorrhage"),
    row("psychotic-disorder", SCT, "69322001", "Psychotic disorder"),
    row("schizophrenia", SCT, "58214004", "Schizophrenia"),
    row("schizoaffective-disorder", SCT, "68890003", "Schizoaffective disorder"),
    row("mania", SCT, "231494001", "Mania"),
    row("bipolar-disorder", SCT, "13746004", "Bipolar disorder"),
    row("hypertension", SCT, "38341003", "Hypertensive disorder"),
    row("hypertensive-urgency", SCT, "443482000", "Hypertensive urgency"),
    row("myocardial-infarction", SCT, "22298006", "Myocardial infarction"),
    row("unstable-angina", SCT, "4557003", "Preinfarction syndrome"),
    row("heart-failure", SCT, "84114007", "Heart failure"),
    row("stroke", SCT, "230690007", "Cerebrovascular accident"),
    row("subarachnoid-haemorrhage", SCT, "21454007", "Subarachnoid intracranial hemorrhage"),
    row("raised-intracranial-pressure", SCT, "68267002", "Benign intracranial hypertension"),
    row("phaeochromocytoma", SCT, "302835009", "Pheochromocytoma"),
    row("hyperthyroidism", SCT, "34486009", "Hyperthyroidism"),
    row("alcohol-dependence", SCT, "66590003", "Alcohol dependence"),
    row("opioid-dependence", SCT, "75544000", "Opioid dependence"),
    row("drug-dependence", SCT, "191816009", "Drug dependence"),
    row("ketamine-dependence", SCT, "724715004", "Ketamine dependence"),
    row("ketamine-harmful-use", SCT, "724713006", "Harmful use of ketamine"),
    row("cystitis", SCT, "38822007", "Cystitis"),
    row("interstitial-cystitis", SCT, "197834003", "Chronic interstitial cystitis"),
    row("hepatic-failure", SCT, "59927004", "Hepatic failure"),
    row("cirrhosis", SCT, "19943007", "Cirrhosis of liver"),
    row("liver-disorder", SCT, "235856003", "Disorder of liver"),
    row("sleep-apnoea", SCT, "73430006", "Sleep apnea"),
    row("dissociative-disorder", SCT, "44376007", "Dissociative disorder"),
    row("suicide-attempt", SCT, "82313006", "Suicide attempt"),
    row("pregnancy", SCT, "77386006", "Pregnant"),
    row("breastfeeding", SCT, "1260078007", "Maternal breastfeeding"),
];

/// Adverse events, medical and emotional, §2.6.
pub const ADVERSE_EVENT: &[Concept] = &[
    row("nausea", SCT, "422587007", "Nausea"),
    row("vomiting", SCT, "422400008", "Vomiting"),
    row("headache", SCT, "25064002", "Headache"),
    row("dizziness", SCT, "404640003", "Dizziness"),
    row("raised-blood-pressure", SCT, "24184005", "Finding of increased blood pressure"),
    row("low-blood-pressure", SCT, "45007003", "Low blood pressure"),
    row("tachycardia", SCT, "3424008", "Tachycardia"),
    row("bradycardia", SCT, "48867003", "Bradycardia"),
    row("palpitations", SCT, "80313002", "Palpitations"),
    row("chest-pain", SCT, "29857009", "Chest pain"),
    row("hypoxia", SCT, "389086002", "Hypoxia"),
    row("apnoea", SCT, "1023001", "Apnea"),
    row("sedation", SCT, "17971005", "Sedated"),
    row("loss-of-consciousness", SCT, "419045004", "Loss of consciousness"),
    row("syncope", SCT, "271594007", "Syncope"),
    row("diplopia", SCT, "24982008", "Diplopia"),
    row("nystagmus", SCT, "563001", "Nystagmus"),
    row("anaphylaxis", SCT, "39579001", "Anaphylaxis"),
    row("dysuria", SCT, "49650001", "Dysuria"),
    row("urinary-frequency", SCT, "162116003", "Increased frequency of urination"),
    row("anxiety", SCT, "48694002", "Anxiety"),
    row("panic-attack", SCT, "225624000", "Panic attack"),
    row("agitation", SCT, "24199005", "Feeling agitated"),
    row("acute-confusion", SCT, "130987000", "Acute confusion"),
    row("hallucinations", SCT, "7011001", "Hallucinations"),
    row("delirium", SCT, "2776000", "Delirium"),
    row("suicidal-thoughts", SCT, "6471006", "Suicidal thoughts"),
    row("challenging-experience", KAP_AE, "challenging-experience", "Challenging experience"),
    row("prolonged-dissociation", KAP_AE, "prolonged-dissociation", "Prolonged dissociation"),
    row("trauma-reactivation", KAP_AE, "trauma-reactivation", "Trauma reactivation"),
    row("boundary-concern", KAP_AE, "boundary-concern", "Boundary concern"),
];

/// Adverse event categories, §2.6.
pub const EVENT_CATEGORY: &[Concept] =
    &[row("medical", KAP_AE, "medical", "Medical"), row("emotional", KAP_AE, "emotional", "Emotional")];

/// How an adverse event ended, §2.6.
pub const EVENT_OUTCOME: &[Concept] = &[
    row("resolved", EVENT_OUTCOMES, "resolved", "Resolved"),
    row("recovering", EVENT_OUTCOMES, "recovering", "Recovering"),
    row("ongoing", EVENT_OUTCOMES, "ongoing", "Ongoing"),
    row("resolved-with-sequelae", EVENT_OUTCOMES, "resolvedWithSequelae", "Resolved with Sequelae"),
    row("fatal", EVENT_OUTCOMES, "fatal", "Fatal"),
    row("unknown", EVENT_OUTCOMES, "unknown", "Unknown"),
];

/// Whether an adverse event is serious, §2.6; local, see `adverse_event.rs`.
pub const SERIOUSNESS: &[Concept] =
    &[row("serious", KAP_AE, "serious", "Serious"), row("non-serious", KAP_AE, "non-serious", "Non-serious")];

/// Psychotherapies, §2.7. EMDR rests on a weak source there.
pub const MODALITY: &[Concept] = &[
    row("cognitive-behavioral", SCT, "228557008", "Cognitive and behavioral therapy"),
    row("emdr", SCT, "449030000", "Eye movement desensitization and reprocessing therapy"),
    row("interpersonal", SCT, "443730003", "Interpersonal psychotherapy"),
    row("psychodynamic", SCT, "314034001", "Psychodynamic psychotherapy"),
    row("psychotherapy", SCT, "75516001", "Psychotherapy"),
    row("ifs", KAP_MODALITY, "ifs", "Internal family systems"),
    row("somatic", KAP_MODALITY, "somatic", "Somatic therapy"),
    row("act", KAP_MODALITY, "act", "Acceptance and commitment therapy"),
    row("mindfulness", KAP_MODALITY, "mindfulness", "Mindfulness"),
    row("existential", KAP_MODALITY, "existential", "Existential therapy"),
    row("art", KAP_MODALITY, "art", "Art therapy"),
    row("narrative", KAP_MODALITY, "narrative", "Narrative therapy"),
];

/// Session formats, §2.5 and D-11.
pub const FORMAT: &[Concept] = &[
    row("individual", SCT, "18512000", "Individual psychotherapy"),
    row("group", SCT, "76168009", "Group psychotherapy"),
    row("couple", SCT, "302245002", "Family, systemic, couple and sex therapy"),
];

/// Encounter classes, §2.5.
pub const SETTING: &[Concept] = &[
    row("clinic", ACT_CODE, "AMB", "ambulatory"),
    row("telehealth", ACT_CODE, "VR", "virtual"),
    row("home", ACT_CODE, "HH", "home health"),
];

/// Kinds of place, §2.5.
pub const PLACE: &[Concept] = &[
    row("provider-office", ROLE_CODE, "PROFF", "Provider's Office"),
    row("patient-residence", ROLE_CODE, "PTRES", "Patient's Residence"),
];

/// How a participant was present, §2.5.
pub const PRESENCE: &[Concept] = &[
    row("physical", PARTICIPATION_MODE, "PHYSICAL", "physical presence"),
    row("video", PARTICIPATION_MODE, "VIDEOCONF", "videoconferencing"),
];

/// Roles in the care team, §2.4.
pub const ROLE: &[Concept] = &[
    row("prescriber", KAP_ROLE, "prescriber", "Prescriber"),
    row("therapist", KAP_ROLE, "therapist", "Therapist"),
    row("monitoring-nurse", KAP_ROLE, "monitoring-nurse", "Monitoring nurse"),
    row("sitter", KAP_ROLE, "sitter", "Sitter"),
];

/// Who is with the patient and treats nobody, §2.5, §6.4.
pub const COMPANION_ROLE: &[Concept] = &[
    row("sitter", KAP_ROLE, "sitter", "Sitter"),
    row("partner", KAP_ROLE, "partner", "Partner"),
    row("support-person", KAP_ROLE, "support-person", "Support person"),
];

/// Evidence without another home in R4, D-19.
pub const EVIDENCE: &[Concept] = &[
    row("second-adult-present", KAP, "second-adult-present", "Second adult present"),
    row("remote-monitoring", KAP, "remote-monitoring", "Remote monitoring"),
    row("rems-form-submitted", KAP, "rems-form-submitted", "REMS form submitted"),
];

/// What a performer did, §2.5.
pub const PERFORMER_FUNCTION: &[Concept] = &[
    row("performer", PERFORM_FUNCTION, "performer", "Performer"),
    row("verifier", PERFORM_FUNCTION, "verifier", "Verifier"),
    row("witness", PERFORM_FUNCTION, "witness", "Witness"),
];

/// Approaches, §2.5.
pub const APPROACH: &[Concept] = &[
    row("psycholytic", KAP_APPROACH, "psycholytic", "Psycholytic"),
    row("psychedelic", KAP_APPROACH, "psychedelic", "Psychedelic"),
    row("antidepressant-infusion", KAP_APPROACH, "antidepressant-infusion", "Antidepressant infusion"),
    row("other", KAP_APPROACH, "other", "Other approach"),
];

/// Formulations, §2.5.
pub const FORMULATION: &[Concept] = &[
    row("injectable-solution", KAP_FORMULATION, "injectable-solution", "Injectable solution"),
    row("nasal-spray-device", KAP_FORMULATION, "nasal-spray-device", "Nasal spray device"),
    row("compounded-nasal-spray", KAP_FORMULATION, "compounded-nasal-spray", "Compounded nasal spray"),
    row("troche", KAP_FORMULATION, "troche", "Troche"),
    row("lozenge", KAP_FORMULATION, "lozenge", "Lozenge"),
    row("rapid-dissolve-tablet", KAP_FORMULATION, "rapid-dissolve-tablet", "Rapid dissolve tablet"),
    row("oral-solution", KAP_FORMULATION, "oral-solution", "Oral solution"),
    row("capsule", KAP_FORMULATION, "capsule", "Capsule"),
    row("suppository", KAP_FORMULATION, "suppository", "Suppository"),
];

/// Why a dose was stopped, held or not given, §2.5.
pub const STATUS_REASON: &[Concept] = &[
    row("elevated-bp", KAP_STATUS_REASON, "elevated-bp", "Elevated blood pressure"),
    row("patient-declined", KAP_STATUS_REASON, "patient-declined", "Patient declined"),
    row("adverse-event", KAP_STATUS_REASON, "adverse-event", "Adverse event"),
    row("infiltration", KAP_STATUS_REASON, "infiltration", "Infiltration"),
    row("no-escort", KAP_STATUS_REASON, "no-escort", "No escort"),
    row("positive-pregnancy-test", KAP_STATUS_REASON, "positive-pregnancy-test", "Positive pregnancy test"),
    row("suicidality", KAP_STATUS_REASON, "suicidality", "Suicidality"),
    row("equipment", KAP_STATUS_REASON, "equipment", "Equipment"),
    row("other", KAP_STATUS_REASON, "other", "Other reason"),
];

/// Support without medicine, §2.6.
pub const MEASURE: &[Concept] = &[
    row("grounding", KAP, "grounding", "Grounding"),
    row("reassurance", KAP, "reassurance", "Reassurance"),
    row("environment-adjustment", KAP, "environment-adjustment", "Environment adjustment"),
];

/// Where the patient went, §2.6.
pub const DISPOSITION: &[Concept] = &[
    row("home", "http://terminology.hl7.org/CodeSystem/discharge-disposition", "home", "Home"),
    row(
        "other-facility",
        "http://terminology.hl7.org/CodeSystem/discharge-disposition",
        "other-hcf",
        "Other healthcare facility",
    ),
];

/// Integration themes, §2.7.
pub const THEME: &[Concept] = &[
    row("self-compassion", KAP, "self-compassion", "Self-compassion"),
    row("grief", KAP, "grief", "Grief"),
    row("trauma-processing", KAP, "trauma-processing", "Trauma processing"),
    row("identity", KAP, "identity", "Identity"),
    row("relationships", KAP, "relationships", "Relationships"),
    row("meaning-purpose", KAP, "meaning-purpose", "Meaning and purpose"),
    row("spirituality", KAP, "spirituality", "Spirituality"),
    row("professional-values", KAP, "professional-values", "Professional values"),
    row("embodiment", KAP, "embodiment", "Embodiment"),
    row("fear", KAP, "fear", "Fear"),
];

/// Next steps, §2.7.
pub const STEP: &[Concept] = &[
    row("continue", KAP, "continue", "Continue"),
    row("adjust-dose", KAP, "adjust-dose", "Adjust dose"),
    row("change-route", KAP, "change-route", "Change route"),
    row("pause", KAP, "pause", "Pause"),
    row("end", KAP, "end", "End"),
    row("refer", KAP, "refer", "Refer"),
];

/// Where in the course an outcome was measured, §2.9.
pub const OUTCOME_PHASE: &[Concept] = &[
    row("baseline", KAP, "outcome-baseline", "Baseline"),
    row("during", KAP, "outcome-during", "During the course"),
    row("end-of-induction", KAP, "outcome-end-of-induction", "End of induction"),
    row("follow-up", KAP, "outcome-follow-up", "Follow-up"),
    row("end-of-course", KAP, "outcome-end-of-course", "End of course"),
];

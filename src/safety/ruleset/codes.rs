//! The safety room: the sets of codes that rules look for. Codes are compared, never expanded: a descendant that is
//! not listed is not found, and the result says by which list it was looked.

use super::words;
use std::collections::HashMap;

words! {
    /// The sets; the word is the name in the file.
    Set {
        AbsoluteContraindication = "absolute-contraindication",
        PressureHazard = "pressure-hazard",
        Hypertension = "hypertension",
        PsychosisMania = "psychosis-mania",
        Bipolar = "bipolar",
        Pregnancy = "pregnancy",
        Breastfeeding = "breastfeeding",
        SubstanceUseDisorder = "substance-use-disorder",
        KetamineUseDisorder = "ketamine-use-disorder",
        Urinary = "urinary",
        UrinarySymptom = "urinary-symptom",
        Liver = "liver",
        Ketamine = "ketamine",
        Esketamine = "esketamine",
        Benzodiazepine = "benzodiazepine",
        ZDrug = "z-drug",
        OpioidAgonist = "opioid-agonist",
        CnsDepressant = "cns-depressant",
        Lamotrigine = "lamotrigine",
        MaoInhibitor = "mao-inhibitor",
        Stimulant = "stimulant",
        CypInhibitor = "cyp-inhibitor",
        CypInducer = "cyp-inducer",
        SeizureThreshold = "seizure-threshold",
        OtherIngredient = "other-ingredient",
        Transaminase = "transaminase",
        AlkalinePhosphatase = "alkaline-phosphatase",
        GammaGt = "gamma-gt",
        PregnancyTest = "pregnancy-test",
        UrinaryScreen = "urinary-screen",
        RecoveryScore = "recovery-score",
        Prescriber = "prescriber",
        Nurse = "nurse",
        Therapist = "therapist",
        Sitter = "sitter",
        Psychotherapy = "psychotherapy",
    }
}

/// The sets that something belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Codes(u64);

impl Codes {
    pub fn has(self, set: Set) -> bool {
        self.0 & (1 << set as u64) != 0
    }

    pub fn has_any(self, sets: &[Set]) -> bool {
        sets.iter().any(|set| self.has(*set))
    }

    pub fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn put(&mut self, set: Set) {
        self.0 |= 1 << set as u64;
    }

    fn take(&mut self, set: Set) {
        self.0 &= !(1 << set as u64);
    }
}

/// The short names of code systems in the file.
const SYSTEMS: &[(&str, &str)] = &[
    ("sct", "http://snomed.info/sct"),
    ("icd", "http://hl7.org/fhir/sid/icd-10-cm"),
    ("rx", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    ("loinc", "http://loinc.org"),
    ("nucc", "http://nucc.org/provider-taxonomy"),
    ("kap", "https://kap-gateway.example.org/fhir/CodeSystem/kap"),
    ("kap-score", "https://kap-gateway.example.org/fhir/CodeSystem/kap-score"),
    ("kap-role", "https://kap-gateway.example.org/fhir/CodeSystem/kap-role"),
    ("kap-ae", "https://kap-gateway.example.org/fhir/CodeSystem/kap-ae"),
    ("kap-modality", "https://kap-gateway.example.org/fhir/CodeSystem/kap-modality"),
];

/// Every code of every set.
#[derive(Debug, Clone, Default)]
pub struct Sets {
    /// By the system's place in `SYSTEMS`.
    codes: [HashMap<String, Codes>; SYSTEMS.len()],
    /// Beginnings of codes.
    beginnings: [Vec<(String, Codes)>; SYSTEMS.len()],
}

/// A code as the file writes it, `SYSTEM|CODE`: the system's place, the code, and whether it is a beginning.
pub(super) fn written(text: &str) -> Option<(usize, &str, bool)> {
    let (system, code) = text.split_once('|')?;
    let place = SYSTEMS.iter().position(|(name, _)| *name == system)?;
    match code.strip_suffix('*') {
        Some(beginning) => (!beginning.is_empty()).then_some((place, beginning, true)),
        None => (!code.is_empty()).then_some((place, code, false)),
    }
}

impl Sets {
    /// The sets of a code.
    pub fn of(&self, system: &str, code: &str) -> Codes {
        let Some(place) = SYSTEMS.iter().position(|(_, url)| *url == system) else { return Codes::default() };
        let mut found = self.codes[place].get(code).copied().unwrap_or_default();
        for (beginning, codes) in &self.beginnings[place] {
            if code.starts_with(beginning.as_str()) {
                found.add(*codes);
            }
        }
        found
    }

    pub(super) fn insert(&mut self, set: Set, (place, code, begins): (usize, &str, bool)) {
        if !begins {
            self.codes[place].entry(code.to_owned()).or_default().put(set);
        } else if let Some((_, codes)) = self.beginnings[place].iter_mut().find(|(own, _)| own == code) {
            codes.put(set);
        } else {
            let mut codes = Codes::default();
            codes.put(set);
            self.beginnings[place].push((code.to_owned(), codes));
        }
    }

    /// `false` where it was not there.
    pub(super) fn remove(&mut self, set: Set, (place, code, begins): (usize, &str, bool)) -> bool {
        let own = if begins {
            self.beginnings[place].iter_mut().find(|(own, _)| own == code).map(|(_, codes)| codes)
        } else {
            self.codes[place].get_mut(code)
        };
        own.filter(|codes| codes.has(set)).map(|codes| codes.take(set)).is_some()
    }
}

//! The gateway's own plain words, for codes whose terminology's words nobody has verified, and for instruments.
//!
//! They stand as the text of a concept that would otherwise be a bare number to whoever reads it.

use crate::kap::records::measurement::Instrument;

/// LOINC code and plain words: one row for each row of the tables without a display.
const PLAIN: &[(&str, &str)] = &[
    ("101698-9", "PCL-5 total score"),
    ("75624-7", "AUDIT total score"),
    ("82667-7", "DAST-10 total score"),
    ("89209-1", "BDI-II total score"),
    ("84773-1", "Mood Disorder Questionnaire (MDQ) score"),
    ("105043-4", "Ramsay sedation score"),
    ("8636-3", "QTc interval"),
    ("1975-2", "Bilirubin"),
    ("98979-8", "Estimated glomerular filtration rate (eGFR)"),
    ("3016-3", "Thyroid-stimulating hormone (TSH)"),
    ("65750-2", "Drug screen, urine"),
    ("20537-7", "Ketamine screen (the specimen of this code is not verified)"),
];

/// Plain words for a LOINC code.
pub fn of_loinc(code: &str) -> Option<&'static str> {
    PLAIN.iter().find(|(own, _)| *own == code).map(|(_, words)| *words)
}

/// What clinicians call the instrument.
pub const fn instrument(instrument: Instrument) -> &'static str {
    match instrument {
        Instrument::Phq9 => "PHQ-9",
        Instrument::Gad7 => "GAD-7",
        Instrument::Pcl5 => "PCL-5",
        Instrument::CSsrsScreener => "C-SSRS screener",
        Instrument::AuditC => "AUDIT-C",
        Instrument::Audit => "AUDIT",
        Instrument::Dast10 => "DAST-10",
        Instrument::Madrs => "MADRS",
        Instrument::HamD17 => "HAM-D17",
        Instrument::QidsSr16 => "QIDS-SR16",
        Instrument::BdiIi => "BDI-II",
        Instrument::Who5Raw => "WHO-5 raw",
        Instrument::Who5Percent => "WHO-5 percentage",
        Instrument::Whodas2 => "WHODAS 2.0",
        Instrument::CgiS => "CGI severity",
        Instrument::CgiI => "CGI improvement",
        Instrument::PgiC => "PGI change",
        Instrument::ProqolCs => "ProQOL compassion satisfaction",
        Instrument::ProqolBo => "ProQOL burnout",
        Instrument::ProqolSts => "ProQOL secondary traumatic stress",
        Instrument::MbiEe => "MBI emotional exhaustion",
        Instrument::MbiDp => "MBI depersonalization",
        Instrument::MbiPa => "MBI personal accomplishment",
        Instrument::CbiPersonal => "CBI personal burnout",
        Instrument::CbiWork => "CBI work-related burnout",
        Instrument::CbiClient => "CBI client-related burnout",
        Instrument::Bat12 => "BAT-12",
        Instrument::Bat23 => "BAT-23",
        Instrument::BpiInterference => "BPI interference",
        Instrument::PainNrs => "Pain numeric rating",
        Instrument::Isi => "ISI",
        Instrument::Eq5dVas => "EQ-5D visual analogue scale",
        Instrument::Moca => "MoCA",
        Instrument::Mdq => "MDQ",
        Instrument::Cadss => "CADSS",
        Instrument::Cadss6 => "CADSS-6",
        Instrument::MoaaS => "MOAA/S",
        Instrument::Rass => "RASS",
        Instrument::Ramsay => "Ramsay sedation scale",
        Instrument::NauseaNrs => "Nausea numeric rating",
        Instrument::Aldrete => "Aldrete",
        Instrument::Mpadss => "MPADSS",
        Instrument::Meq30Mystical => "MEQ-30 mystical",
        Instrument::Meq30Positive => "MEQ-30 positive mood",
        Instrument::Meq30Transcendence => "MEQ-30 transcendence of time and space",
        Instrument::Meq30Ineffability => "MEQ-30 ineffability",
        Instrument::Ebi => "EBI",
        Instrument::Ceq => "CEQ",
        Instrument::FiveDAsc => "5D-ASC",
        Instrument::Ies => "IES",
        Instrument::Eis => "EIS",
        Instrument::Icsi => "ICSI",
        Instrument::Icpi => "ICPI",
        Instrument::BpicSs => "BPIC-SS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::systems::LOINC;

    #[test]
    fn every_row_without_a_display_has_plain_words() {
        let bare: Vec<_> = super::super::rows().filter(|row| row.display.is_empty()).collect();
        let wordless: Vec<_> = bare.iter().filter(|row| row.system != LOINC || of_loinc(row.code).is_none()).collect();
        assert!(wordless.is_empty(), "{wordless:?}");
        assert_eq!(bare.len(), PLAIN.len());
    }
}

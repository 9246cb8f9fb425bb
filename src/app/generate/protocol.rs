//! The ways in which the generated clinics give ketamine, as data. Doses are those that clinics report (mapping
//! specification §5, dose reference table), varied around them: test data, and no recommendation.

/// How one dose is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over minutes, by a pump.
    Infusion,
    /// At once, by a nurse.
    Injection,
    /// By the patient under the eyes of a nurse: a spray in the clinic.
    Spray,
    /// By the patient: a lozenge, tablet, capsule, solution or suppository.
    Taken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// In hundredths of mg/kg, from and to.
    PerWeight(i64, i64),
    /// In mg, one of these.
    Fixed(&'static [i64]),
}

/// One kind of course.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// In so many of a hundred courses.
    pub share: i64,
    pub route: &'static str,
    pub way: Way,
    pub medicine: &'static str,
    pub formulation: &'static str,
    pub amount: Amount,
    /// Sessions, from and to.
    pub sessions: (i64, i64),
    /// Days from one session to the next.
    pub interval: (i64, i64),
    /// In so many of a hundred sessions the dose is split in two.
    pub split: i64,
    pub at_home: bool,
    pub compounded: bool,
    pub approach: &'static str,
}

const IN_CLINIC: Protocol = Protocol {
    share: 0,
    route: "intravenous",
    way: Way::Infusion,
    medicine: "ketamine",
    formulation: "injectable-solution",
    amount: Amount::PerWeight(40, 75),
    sessions: (4, 8),
    interval: (2, 4),
    split: 0,
    at_home: false,
    compounded: false,
    approach: "antidepressant-infusion",
};

/// Shares add up to a hundred.
pub const PROTOCOLS: [Protocol; 10] = [
    Protocol { share: 34, ..IN_CLINIC },
    Protocol {
        share: 15,
        route: "intramuscular",
        way: Way::Injection,
        amount: Amount::PerWeight(50, 120),
        sessions: (2, 4),
        interval: (6, 14),
        split: 50,
        approach: "psychedelic",
        ..IN_CLINIC
    },
    Protocol {
        share: 6,
        route: "subcutaneous",
        way: Way::Injection,
        amount: Amount::PerWeight(50, 90),
        sessions: (3, 6),
        interval: (3, 5),
        ..IN_CLINIC
    },
    Protocol {
        share: 12,
        route: "intranasal",
        way: Way::Spray,
        medicine: "esketamine",
        formulation: "nasal-spray-device",
        amount: Amount::Fixed(&[56, 84]),
        sessions: (6, 10),
        interval: (3, 4),
        ..IN_CLINIC
    },
    Protocol {
        share: 6,
        route: "intranasal",
        way: Way::Spray,
        formulation: "compounded-nasal-spray",
        amount: Amount::Fixed(&[20, 30, 50]),
        sessions: (4, 12),
        interval: (7, 16),
        split: 80,
        compounded: true,
        approach: "psycholytic",
        ..IN_CLINIC
    },
    Protocol {
        share: 14,
        route: "sublingual",
        way: Way::Taken,
        formulation: "troche",
        amount: Amount::Fixed(&[100, 150, 200, 300]),
        sessions: (3, 8),
        interval: (5, 10),
        at_home: true,
        compounded: true,
        approach: "psycholytic",
        ..IN_CLINIC
    },
    Protocol {
        share: 4,
        route: "buccal",
        way: Way::Taken,
        formulation: "rapid-dissolve-tablet",
        amount: Amount::Fixed(&[100, 200]),
        sessions: (2, 5),
        interval: (7, 14),
        compounded: true,
        approach: "psycholytic",
        ..IN_CLINIC
    },
    Protocol {
        share: 5,
        route: "oral",
        way: Way::Taken,
        formulation: "capsule",
        amount: Amount::Fixed(&[50, 100, 150]),
        sessions: (4, 14),
        interval: (20, 32),
        at_home: true,
        compounded: true,
        approach: "other",
        ..IN_CLINIC
    },
    Protocol {
        share: 2,
        route: "rectal",
        way: Way::Taken,
        formulation: "suppository",
        amount: Amount::Fixed(&[100]),
        sessions: (1, 3),
        interval: (7, 14),
        compounded: true,
        approach: "other",
        ..IN_CLINIC
    },
    // A route that has no code: it is kept as text (decision D-07).
    Protocol {
        share: 2,
        route: "other",
        way: Way::Taken,
        formulation: "oral-solution",
        amount: Amount::Fixed(&[25, 50]),
        sessions: (1, 3),
        interval: (7, 14),
        compounded: true,
        approach: "other",
        ..IN_CLINIC
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_a_hundred() {
        assert_eq!(PROTOCOLS.iter().map(|protocol| protocol.share).sum::<i64>(), 100);
    }
}

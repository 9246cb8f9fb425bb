//! The load harness: times by the thousands, kept in buckets that are at most 3 % wide.

use std::time::Duration;

/// Buckets in which a doubling is divided.
const STEPS: u64 = 32;

#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub fn record(&mut self, time: Duration) {
        let bucket = bucket(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
    }

    pub fn add(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, others) in self.counts.iter_mut().zip(&other.counts) {
            *own += others;
        }
        self.total += other.total;
    }

    /// The time that so many in a thousand do not exceed; none if nothing was recorded.
    #[must_use]
    pub fn per_mille(&self, share: u64) -> Option<Duration> {
        let wanted = (self.total * share).div_ceil(1000).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Some(Duration::from_nanos(upper_end(bucket as u64)));
            }
        }
        None
    }
}

fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < STEPS {
        return nanoseconds as usize;
    }
    let doublings = u64::from(nanoseconds.ilog2() - STEPS.ilog2());
    (doublings * STEPS + (nanoseconds >> doublings)) as usize
}

fn upper_end(bucket: u64) -> u64 {
    if bucket < 2 * STEPS {
        return bucket;
    }
    let doublings = bucket / STEPS - 1;
    (((bucket % STEPS) + STEPS + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_within_three_percent() {
        let mut times = Histogram::default();
        for microseconds in 1..=1000 {
            times.record(Duration::from_micros(microseconds));
        }
        for (share, expected) in [(500, 500.0), (990, 990.0), (1000, 1000.0)] {
            let found = times.per_mille(share).unwrap().as_secs_f64() * 1e6;
            assert!((found / expected - 1.0).abs() < 0.04, "{share}: {found}");
        }
        assert_eq!(Histogram::default().per_mille(500), None);
    }

    #[test]
    fn each_time_lies_in_its_bucket() {
        for value in [0, 1, 31, 32, 33, 63, 64, 65, 1000, 123_456_789, u64::from(u32::MAX)] {
            let end = upper_end(bucket(value) as u64);
            assert!(end >= value && (end == 0 || end as f64 <= value as f64 * 1.04), "{value}: {end}");
        }
    }
}

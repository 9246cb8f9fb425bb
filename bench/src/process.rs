//! The load harness: what a server's processes take, from /proc.

use std::fs;
use std::time::Duration;

/// Ticks of `/proc/PID/stat` in a second: Linux shows 100 on all its platforms.
const TICKS: u64 = 100;

/// The process and all below it.
fn tree(root: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        if let Some(parent) = stat(id).and_then(|fields| fields.get(1)?.parse::<u32>().ok()) {
            parents.push((id, parent));
        }
    }
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        found.extend(parents.iter().filter(|(_, parent)| *parent == found[at]).map(|(id, _)| *id).collect::<Vec<_>>());
        at += 1;
    }
    found
}

/// The fields behind the name, which may hold anything: the first is the state, the second the parent.
fn stat(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, after) = text.rsplit_once(')')?;
    Some(after.split_whitespace().map(str::to_owned).collect())
}

fn kibibytes(file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Resident bytes of one process; several of one tree share pages, so of them each has its part of what is shared.
#[must_use]
pub fn memory(root: u32) -> u64 {
    let all = tree(root);
    let kibibytes = match all.as_slice() {
        [one] => kibibytes(&format!("/proc/{one}/status"), "VmRSS:"),
        several => several.iter().map(|id| kibibytes(&format!("/proc/{id}/smaps_rollup"), "Pss:")).sum(),
    };
    kibibytes * 1024
}

/// Most bytes that the process itself had at any time.
#[must_use]
pub fn most_memory(root: u32) -> u64 {
    kibibytes(&format!("/proc/{root}/status"), "VmHWM:") * 1024
}

/// Processor time of the process and all below it, in steps of 10 ms.
#[must_use]
pub fn processor_time(root: u32) -> Duration {
    let ticks: u64 = tree(root)
        .into_iter()
        .filter_map(stat)
        // User, system, and the same of children that have ended: fields 14 to 17 of proc(5), of which two are cut off.
        .flat_map(|fields| fields.into_iter().skip(11).take(4))
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_takes_time() {
        let own = std::process::id();
        assert!(memory(own) > 1_000_000);
        assert!(most_memory(own) >= 1_000_000);
        let before = processor_time(own);
        let mut sum = 0_u64;
        while processor_time(own) == before {
            sum = std::hint::black_box((0..1_000_000_u64).fold(sum, u64::wrapping_add));
        }
        assert!(tree(own).contains(&own));
    }
}

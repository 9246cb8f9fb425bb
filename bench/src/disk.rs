//! The load harness: how often the disk under the servers can make a write durable.

use crate::AnyError;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Appends of 8 KiB (a page of the gateway's file) that reach the disk in a second, one after the other.
///
/// # Errors
///
/// The folder cannot be written to.
pub fn fsync_rate(folder: &Path, time: Duration) -> Result<f64, AnyError> {
    let path = folder.join("fsync-probe");
    let mut file = File::create(&path)?;
    let (page, started, mut count) = ([7_u8; 8192], Instant::now(), 0_u32);
    while started.elapsed() < time {
        file.write_all(&page)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    Ok(rate)
}

/// Has all that other servers left to be written later be written now, so that it does not fall on the next.
pub fn settle() {
    // Without the command the figures are less steady, not wrong.
    let _ = std::process::Command::new("sync").status();
}

//! The reader of FHIR packages: the bytes are a tar archive, which is packed here, since no mutation keeps a checksum.
#![no_main]

use flate2::{Compression, write::GzEncoder};
use kap_gateway_fuzz::fhir::definitions::Definitions;
use libfuzzer_sys::fuzz_target;
use std::io::Write;

fuzz_target!(|bytes: &[u8]| {
    // In memory where the system has a folder for that.
    let folder = if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
    let file = folder.join(format!("kap-gateway-fuzz-{}.tgz", std::process::id()));
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(bytes).expect("a Vec takes all");
    std::fs::write(&file, packed.finish().expect("a Vec takes all")).expect("the scratch file");
    let mut all = Definitions::base();
    let _ = all.add_package(&file);
    std::fs::remove_file(&file).expect("the scratch file");
});

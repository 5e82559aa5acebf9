//! What the system says of this process. Where it does not say (other systems than Linux), the lines are missing.

use std::time::Instant;

use super::Text;

pub(super) fn render(text: &mut Text, started: Instant) {
    text.gauge("estoile_uptime_seconds", "Seconds since the relay started.", started.elapsed().as_secs());
    if let Some(bytes) = resident() {
        text.gauge("process_resident_memory_bytes", "Memory of this process that lies in RAM.", bytes);
    }
    if let Some(files) = open_files() {
        text.gauge("process_open_fds", "Files and sockets open now.", files);
    }
}

/// `VmRSS` of `/proc/self/status`, which is in kB whatever the size of a page.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kilobytes.checked_mul(1024)
}

fn open_files() -> Option<u64> {
    // The one through which we look is not counted.
    std::fs::read_dir("/proc/self/fd").ok().map(|entries| (entries.count() as u64).saturating_sub(1))
}

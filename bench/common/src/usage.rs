//! What this process has used, as the system counts it.
//!
//! CPU time, unlike wall time, does not count what others did with the core meanwhile, so figures of a
//! busy machine can be compared.

/// CPU time and memory of this process.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// User and system time, in microseconds.
    pub cpu_micros: u64,
    /// The most memory that was ever resident, in bytes.
    pub resident_bytes_max: u64,
}

impl Usage {
    /// Microseconds of CPU time since `earlier`.
    pub fn micros_since(&self, earlier: &Self) -> u64 {
        self.cpu_micros - earlier.cpu_micros
    }
}

/// What this process has used until now.
#[expect(unsafe_code, reason = "the standard library has no getrusage")]
pub fn now() -> Usage {
    // SAFETY: `rusage` is plain integers, for which zeros are a value; `getrusage` writes only into
    // the one it is given, which lives until after the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let failed = libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        assert!(failed == 0, "getrusage of oneself never fails");
        usage
    };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    // Linux counts resident memory in KiB, Apple in bytes.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    Usage {
        cpu_micros: micros(usage.ru_utime) + micros(usage.ru_stime),
        resident_bytes_max: usage.ru_maxrss as u64 * unit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_was_touched_counts() {
        let before = now();
        let touched = vec![1_u8; before.resident_bytes_max as usize + (32 << 20)];
        assert!(now().resident_bytes_max >= before.resident_bytes_max + (16 << 20));
        assert!(touched.iter().all(|byte| *byte == 1));
    }
}

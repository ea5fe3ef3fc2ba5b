//! The workload that every floor, peer and our own kernel runs, and how it is measured.
//!
//! N nodes; each sends a 64-byte request to a random other node every gap of simulated time, and the
//! receiver replies with 64 bytes. Latency is uniform in 1..10 ms and 1 % is lost, or the nearest that
//! a peer can do: each `main.rs` says what it had to bend. A run ends when `target` datagrams have
//! reached application code, and prints one line of JSON.
//!
//! Knows nothing of what runs it.

pub mod counting;
mod report;
mod rng;
pub mod usage;

pub use report::Report;
pub use rng::Rng;

/// Bytes of a datagram.
pub const PAYLOAD: usize = 64;
/// Fills a datagram behind its header, and ends it.
const FILLER: u8 = 0xA5;
/// The least latency, in microseconds.
pub const LATENCY_MICROS_MIN: u64 = 1_000;
/// How much longer than the least a latency may be, in microseconds; exclusive.
pub const LATENCY_MICROS_SPREAD: u64 = 9_000;

/// What to run, from the command line.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// How many nodes.
    pub nodes: usize,
    /// Datagrams to deliver to application code.
    pub target: u64,
    /// Simulated time between two requests of a node, in microseconds.
    pub gap_micros: u64,
    /// How many peers a node sends requests to: those that come after it. The floor and the kernel know
    /// it; for all others, and where there are not as many, it is every other node.
    pub peers: usize,
    /// The seed.
    pub seed: u64,
    /// Which variant; each program says which it has. Empty for its first.
    pub mode: String,
}

impl Arguments {
    /// Reads `--nodes N --target N --gap-us N --peers N --seed N --mode NAME`.
    ///
    /// Errors: a fragment that says which flag or value is wrong.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            nodes: 5,
            target: 1_000_000,
            gap_micros: 1_000,
            peers: usize::MAX,
            seed: 1,
            mode: String::new(),
        };
        while let Some(flag) = words.next() {
            let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
            let number = || value.parse().map_err(|_| format!("{flag} {value}: not a number"));
            match flag.as_str() {
                "--nodes" => arguments.nodes = number()? as usize,
                "--target" => arguments.target = number()?,
                "--gap-us" => arguments.gap_micros = number()?,
                "--peers" => arguments.peers = number()? as usize,
                "--seed" => arguments.seed = number()?,
                "--mode" => arguments.mode = value,
                _ => return Err(format!("unknown flag {flag}")),
            }
        }
        match (arguments.nodes, arguments.peers) {
            (2..=0xffff, 1..) => Ok(arguments),
            (_, 0) => Err("at least one peer".to_owned()),
            _ => Err("between 2 and 65535 nodes".to_owned()),
        }
    }

    /// Whom `me` sends its next request to.
    #[inline]
    pub fn peer(&self, rng: &mut Rng, me: usize) -> usize {
        if self.peers >= self.nodes - 1 {
            return rng.peer(me, self.nodes);
        }
        (me + 1 + rng.below(self.peers as u64) as usize) % self.nodes
    }

    /// The variant, `first` where none was asked for.
    ///
    /// Errors: a fragment where the variant is not in `modes`.
    pub fn mode(&self, modes: &[&'static str]) -> Result<&'static str, String> {
        if self.mode.is_empty() {
            return Ok(modes[0]);
        }
        let found = modes.iter().find(|mode| **mode == self.mode);
        found.copied().ok_or_else(|| format!("mode {}: expected one of {modes:?}", self.mode))
    }
}

/// The body of a measuring program's `main`: reads the command line, runs, prints the report.
pub fn main(run: impl FnOnce(&Arguments) -> Result<Report, String>) -> std::process::ExitCode {
    match Arguments::parse(std::env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(report) => {
            println!("{report}");
            std::process::ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            std::process::ExitCode::from(2)
        }
    }
}

/// What a datagram is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To be answered.
    Request,
    /// The answer.
    Reply,
}

/// A datagram's bytes: its kind, its number and its sender.
#[inline]
pub fn encode(kind: Kind, source: usize, number: u64) -> [u8; PAYLOAD] {
    let mut bytes = [FILLER; PAYLOAD];
    bytes[0] = kind as u8;
    bytes[1..9].copy_from_slice(&number.to_le_bytes());
    bytes[9..11].copy_from_slice(&(source as u16).to_le_bytes());
    bytes
}

/// Reads what [`encode`] wrote: kind, sender, number.
#[inline]
pub fn decode(bytes: &[u8]) -> (Kind, usize, u64) {
    assert!(bytes.len() == PAYLOAD && bytes[PAYLOAD - 1] == FILLER, "a datagram arrived damaged");
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[1..9]);
    let source = u16::from_le_bytes([bytes[9], bytes[10]]);
    let kind = if bytes[0] == Kind::Request as u8 { Kind::Request } else { Kind::Reply };
    (kind, source as usize, u64::from_le_bytes(number))
}

/// What application code sent and saw, and a hash over all it saw.
#[derive(Clone, Copy, Default, Debug)]
pub struct Seen {
    /// Datagrams that reached application code.
    pub delivered: u64,
    /// Datagrams that application code sent.
    pub sent: u64,
    /// Over time, receiver, sender and number of every delivery, in order.
    pub hash: u64,
}

impl Seen {
    /// Takes one delivery.
    #[inline]
    pub fn deliver(&mut self, now: u64, to: usize, kind: Kind, source: usize, number: u64) {
        self.delivered += 1;
        let parts = [number.rotate_left(24), (to as u64) << 48, (source as u64) << 32, kind as u64];
        self.mix(parts.into_iter().fold(now, |mixed, part| mixed ^ part));
    }

    /// Adds what another part of the program saw.
    pub fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.sent += other.sent;
        self.mix(other.hash);
    }

    #[inline]
    fn mix(&mut self, value: u64) {
        self.hash = (self.hash.rotate_left(5) ^ value).wrapping_mul(0x517C_C1B7_2722_0A95);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Arguments, String> {
        Arguments::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_flags_and_refuses_nonsense() {
        assert_eq!(parse("--nodes 50 --gap-us 7").unwrap().gap_micros, 7);
        for text in ["--nodes", "--nodes x", "--nodes 1", "--nodes 65536", "--peers 0", "--speed 3"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mode_is_one_that_the_program_has() {
        assert_eq!(parse("").unwrap().mode(&["heap", "wheel"]), Ok("heap"));
        assert_eq!(parse("--mode wheel").unwrap().mode(&["heap", "wheel"]), Ok("wheel"));
        assert!(parse("--mode tree").unwrap().mode(&["heap", "wheel"]).is_err());
    }

    #[test]
    fn a_datagram_reads_back() {
        assert_eq!(decode(&encode(Kind::Request, 9_999, 1 << 40)), (Kind::Request, 9_999, 1 << 40));
        assert_eq!(decode(&encode(Kind::Reply, 0, 0)), (Kind::Reply, 0, 0));
    }
}

//! Trust: whose releases a node believes.
//!
//! A release is believed when a threshold of distinct keys of the node's root signed the whole of its
//! envelope. Signatures are checked before anything in the envelope is parsed, on every path that a
//! release can come by; the key that signed is looked up in the root, never taken from the message.
//!
//! Knows nothing of time: expiry is checked when a release is activated.
//! Source: "Dynamic Software Updates using CRDTs", section 4.4, which signs the code alone (an attacker
//! may then give old code a new version). Departs from it: the envelope is signed, and names the code.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::Arc,
};

use contract::{
    Encode, Malformed, Wire,
    wire::{put_blob, put_varint, take_blob, take_varint},
};
use ed25519_dalek::{Signature, Signer, VerifyingKey};

use crate::{
    bugs::{Bug, Bugs},
    release::{Envelope, NOT_ABOVE_ZERO},
};

/// Signatures on one envelope. Each costs a verifier a tenth of a millisecond, so a forger may not
/// bring more than publishers need.
pub const SIGNATURES_MAX: usize = 16;

/// Keys of one root.
pub const KEYS_MAX: usize = SIGNATURES_MAX;

/// Bytes of a signed envelope: the longest envelope there is, with every signature. Longer ones are
/// refused before they are hashed.
pub const SIGNED_BYTES_MAX: usize = 4_096;

/// Verdicts remembered of each kind. Releases a fleet gossips about at one time are few; forgeries
/// push out only other forgeries.
pub const VERDICTS_MAX: usize = 128;

/// What signatures cover, so that no other protocol's signature passes for ours.
const DOMAIN: &str = "simctl 2026-11 release envelope";

/// A public key, which is also the key's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// A publisher's key.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Whom a node believes about one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The application.
    pub app: String,
    /// Counts up with every rotation.
    pub version: u32,
    /// How many distinct keys must sign; at least 1.
    pub threshold: u32,
    /// The keys. No key twice.
    pub keys: Vec<PublicKey>,
}

/// An envelope as it travels: its bytes, unparsed, and who signed them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The canonical bytes of an [`Envelope`], or what claims to be.
    pub envelope: Vec<u8>,
    /// Who signed, and how. The order means nothing, and neither does a key's second signature.
    pub signatures: Vec<(PublicKey, [u8; 64])>,
}

/// A root cannot be used. No release would ever be believed, or too many.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    /// Nobody needs to sign, or more than there are.
    #[error("a threshold of {threshold} among {keys} keys")]
    Threshold {
        /// Signatures asked for.
        threshold: u32,
        /// Keys there are.
        keys: usize,
    },
    /// More keys than a verifier will check.
    #[error("{0} keys, at most {KEYS_MAX} may be trusted")]
    TooManyKeys(usize),
    /// One holder would count twice.
    #[error("key {0} stands twice in the root")]
    KeyTwice(PublicKey),
    /// The bytes are no key, or one for which anybody can sign.
    #[error("key {0} is no usable ed25519 key")]
    WeakKey(PublicKey),
}

/// An envelope was refused. Nothing of it was used; refusing changes nothing but a counter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no signed envelope, or no canonical one.
    #[error("{0}")]
    Malformed(Malformed),
    /// Too few keys of the root signed exactly these bytes. Expected under attack.
    #[error("{valid} of {threshold} trusted signatures")]
    Untrusted {
        /// Distinct trusted keys whose signature is valid.
        valid: u32,
        /// How many the root asks for.
        threshold: u32,
    },
    /// Honestly signed, for another application.
    #[error("a release of app `{found}`, this node runs `{expected}`")]
    WrongApp {
        /// The app this node trusts the root for.
        expected: String,
        /// The envelope's.
        found: String,
    },
    /// Signed under another version of the root.
    #[error("signed under root {found}, this node trusts root {expected}")]
    WrongRoot {
        /// The node's root.
        expected: u32,
        /// The envelope's.
        found: u32,
    },
    /// The version means "nothing runs".
    #[error("a version that is not above 0.0.0")]
    BadVersion,
}

impl SigningKey {
    /// The key that `seed` gives: the same one every time.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// What others know it by.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    /// Never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

impl fmt::Display for PublicKey {
    /// The first 8 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Signs `envelope` with each of `keys`.
pub fn sign(envelope: &Envelope, keys: &[&SigningKey]) -> Signed {
    sign_with_bugs(envelope, keys, Bugs::NONE)
}

/// Signs as a publisher would whose signatures cover what `bugs` leaves of the envelope.
pub fn sign_with_bugs(envelope: &Envelope, keys: &[&SigningKey], bugs: Bugs) -> Signed {
    let bytes = envelope.bytes();
    let covered = covered(&bytes, bugs);
    let signature = |key: &&SigningKey| (key.public(), key.0.sign(&covered).to_bytes());
    Signed { signatures: keys.iter().map(signature).collect(), envelope: bytes }
}

/// What a signature is made over: a hash of the whole envelope, in a domain of its own.
fn covered(envelope: &[u8], bugs: Bugs) -> [u8; 32] {
    if bugs.has(Bug::SignatureCoversCodeOnly)
        && let Ok(envelope) = Envelope::decode(envelope)
    {
        return envelope.id.code.0;
    }
    blake3::derive_key(DOMAIN, envelope)
}

impl Encode for Signed {
    fn encode(&self, out: &mut Vec<u8>) {
        put_blob(out, &self.envelope);
        put_varint(out, self.signatures.len() as u64);
        for (key, signature) in &self.signatures {
            key.0.encode(out);
            signature.encode(out);
        }
    }
}

impl Wire for Signed {
    fn read(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let envelope = take_blob(bytes)?.to_vec();
        let count = take_varint(bytes)?;
        if count > SIGNATURES_MAX as u64 {
            return Err(Malformed("fewer signatures"));
        }
        let mut signatures = Vec::new();
        for _ in 0..count {
            signatures.push((PublicKey(Wire::read(bytes)?), Wire::read(bytes)?));
        }
        Ok(Self { envelope, signatures })
    }
}

impl Signed {
    /// The bytes that travel, and that [`Verifier::verify`] takes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }
}

/// Verifies envelopes against one root, and remembers what it found.
#[derive(Clone, Debug)]
pub struct Verifier {
    root: Root,
    /// The root's keys, ready to use.
    keys: BTreeMap<PublicKey, VerifyingKey>,
    believed: Verdicts<Arc<Envelope>>,
    refused: Verdicts<Refusal>,
    bugs: Bugs,
}

impl Verifier {
    /// A verifier that believes what `root` says. Errors: [`RootError`] where the root is no use.
    pub fn new(root: Root) -> Result<Self, RootError> {
        Self::with_bugs(root, Bugs::NONE)
    }

    /// As [`Verifier::new`], with planted bugs.
    pub fn with_bugs(root: Root, bugs: Bugs) -> Result<Self, RootError> {
        if root.keys.len() > KEYS_MAX {
            return Err(RootError::TooManyKeys(root.keys.len()));
        }
        if root.threshold == 0 || root.threshold as usize > root.keys.len() {
            return Err(RootError::Threshold { threshold: root.threshold, keys: root.keys.len() });
        }
        let mut keys = BTreeMap::new();
        for key in &root.keys {
            let usable = VerifyingKey::from_bytes(&key.0).ok().filter(|usable| !usable.is_weak());
            let usable = usable.ok_or(RootError::WeakKey(*key))?;
            if keys.insert(*key, usable).is_some() {
                return Err(RootError::KeyTwice(*key));
            }
        }
        Ok(Self { root, keys, believed: Verdicts::new(), refused: Verdicts::new(), bugs })
    }

    /// Whether it judges as [`Verifier::with_bugs`] would make one of `root` judge.
    pub fn fits(&self, root: &Root, bugs: Bugs) -> bool {
        self.root == *root && self.bugs == bugs
    }

    /// The root it believes.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The envelope in `signed`, the bytes of a [`Signed`], where enough trusted keys signed it.
    ///
    /// Verdicts of both kinds are remembered under a hash of all of `signed` and the root's version.
    /// Errors: [`Refusal`]; the node is then as before.
    pub fn verify(&mut self, signed: &[u8]) -> Result<Arc<Envelope>, Refusal> {
        if signed.len() > SIGNED_BYTES_MAX {
            return Err(Refusal::Malformed(Malformed("a shorter signed envelope")));
        }
        let version = self.root.version.to_le_bytes();
        let name = *blake3::Hasher::new().update(&version).update(signed).finalize().as_bytes();
        if let Some(envelope) = self.believed.get(&name) {
            return Ok(Arc::clone(envelope));
        }
        if let Some(refusal) = self.refused.get(&name) {
            return Err(refusal.clone());
        }
        let verdict = self.judge(signed);
        match &verdict {
            Ok(envelope) => self.believed.insert(name, Arc::clone(envelope)),
            Err(refusal) => self.refused.insert(name, refusal.clone()),
        }
        verdict
    }

    /// What [`Verifier::verify`] would say if every signature were good.
    ///
    /// Only for [`Bug::RelayUnverified`], and for asking what a forged envelope pretends to be.
    pub fn believe(&self, signed: &[u8]) -> Result<Arc<Envelope>, Refusal> {
        let signed = Signed::decode(signed).map_err(Refusal::Malformed)?;
        self.parse(&signed.envelope)
    }

    fn judge(&self, signed: &[u8]) -> Result<Arc<Envelope>, Refusal> {
        let signed = Signed::decode(signed).map_err(Refusal::Malformed)?;
        let (valid, threshold) = (self.valid(&signed), self.root.threshold);
        if valid < threshold {
            return Err(Refusal::Untrusted { valid, threshold });
        }
        self.parse(&signed.envelope)
    }

    /// Distinct trusted keys with a valid signature; stops at the threshold.
    fn valid(&self, signed: &Signed) -> u32 {
        let covered = covered(&signed.envelope, self.bugs);
        let mut counted = BTreeSet::new();
        for (key, signature) in &signed.signatures {
            if counted.len() == self.root.threshold as usize {
                break;
            }
            let Some(usable) = self.keys.get(key).filter(|_| !counted.contains(key)) else {
                continue;
            };
            if usable.verify_strict(&covered, &Signature::from_bytes(signature)).is_ok() {
                counted.insert(*key);
            }
        }
        counted.len() as u32
    }

    fn parse(&self, envelope: &[u8]) -> Result<Arc<Envelope>, Refusal> {
        let envelope = match Envelope::decode(envelope) {
            Ok(envelope) => envelope,
            Err(NOT_ABOVE_ZERO) => return Err(Refusal::BadVersion),
            Err(malformed) => return Err(Refusal::Malformed(malformed)),
        };
        if envelope.app != self.root.app {
            let expected = self.root.app.clone();
            return Err(Refusal::WrongApp { expected, found: envelope.app });
        }
        if envelope.root != self.root.version {
            let expected = self.root.version;
            return Err(Refusal::WrongRoot { expected, found: envelope.root });
        }
        Ok(Arc::new(envelope))
    }
}

impl Encode for Refusal {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Malformed(malformed) => {
                out.push(0);
                put_blob(out, malformed.0.as_bytes());
            }
            Self::Untrusted { valid, threshold } => {
                out.push(1);
                valid.encode(out);
                threshold.encode(out);
            }
            Self::WrongApp { expected, found } => {
                out.push(2);
                put_blob(out, expected.as_bytes());
                put_blob(out, found.as_bytes());
            }
            Self::WrongRoot { expected, found } => {
                out.push(3);
                expected.encode(out);
                found.encode(out);
            }
            Self::BadVersion => out.push(4),
        }
    }
}

/// Verdicts by the hash of what was judged; the oldest gives way at [`VERDICTS_MAX`].
#[derive(Clone, Debug)]
struct Verdicts<T> {
    by_name: BTreeMap<[u8; 32], T>,
    /// Names in order of age. Exactly the keys of `by_name`.
    ages: VecDeque<[u8; 32]>,
}

impl<T> Verdicts<T> {
    fn new() -> Self {
        Self { by_name: BTreeMap::new(), ages: VecDeque::new() }
    }

    fn get(&self, name: &[u8; 32]) -> Option<&T> {
        self.by_name.get(name)
    }

    fn insert(&mut self, name: [u8; 32], verdict: T) {
        if self.ages.len() == VERDICTS_MAX
            && let Some(oldest) = self.ages.pop_front()
        {
            self.by_name.remove(&oldest);
        }
        let before = self.by_name.insert(name, verdict);
        assert!(before.is_none(), "a verdict is reached once");
        self.ages.push_back(name);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        release::CLASS_MISFITS,
        testing::{envelopes, release, release_with},
    };

    fn key(number: u8) -> SigningKey {
        SigningKey::from_seed([number; 32])
    }

    /// Keys 1 to `keys` are trusted, `threshold` of them must sign.
    fn root(threshold: u32, keys: u8) -> Root {
        let keys = (1..=keys).map(|number| key(number).public()).collect();
        Root { app: "toy".to_owned(), version: 1, threshold, keys }
    }

    fn verifier(threshold: u32, keys: u8) -> Verifier {
        Verifier::new(root(threshold, keys)).unwrap()
    }

    fn signed(text: &str, keys: &[u8]) -> Signed {
        signed_envelope(&release(text).1, keys)
    }

    fn signed_envelope(envelope: &Envelope, keys: &[u8]) -> Signed {
        let keys: Vec<_> = keys.iter().map(|number| key(*number)).collect();
        sign(envelope, &keys.iter().collect::<Vec<_>>())
    }

    fn untrusted(valid: u32, threshold: u32) -> Result<Arc<Envelope>, Refusal> {
        Err(Refusal::Untrusted { valid, threshold })
    }

    #[test]
    fn r25_a_release_that_enough_trusted_keys_signed_is_believed() {
        let (_, envelope) = release("1.0.0");
        for keys in [&[1, 2][..], &[3, 1], &[9, 2, 3], &[1, 2, 3]] {
            let signed = signed("1.0.0", keys).bytes();
            assert_eq!(verifier(2, 3).verify(&signed), Ok(Arc::clone(&envelope)), "{keys:?}");
        }
    }

    #[test]
    fn r26_bytes_that_passed_through_relays_still_verify_without_the_publisher() {
        let sent = signed("1.0.0", &[1]).bytes();
        let relayed = Signed::decode(&sent).unwrap().bytes();
        assert_eq!(relayed, sent);
        assert_eq!(verifier(1, 1).verify(&relayed), Ok(release("1.0.0").1));
    }

    #[test]
    fn a1_unsigned_garbage_and_strangers_signatures_are_refused() {
        let unsigned = signed("1.0.0", &[]);
        let stranger = signed("1.0.0", &[9]);
        let mut garbage = signed("1.0.0", &[1]);
        garbage.signatures[0].1 = [0xa5; 64];
        // The stranger's good signature under a trusted key's name.
        let mut renamed = signed("1.0.0", &[9]);
        renamed.signatures[0].0 = key(1).public();
        for signed in [unsigned, stranger, garbage, renamed] {
            assert_eq!(verifier(1, 1).verify(&signed.bytes()), untrusted(0, 1), "{signed:?}");
        }
    }

    #[test]
    fn a1_nothing_is_parsed_before_it_is_trusted() {
        let signature = (key(9).public(), [0; 64]);
        let noise = Signed { envelope: b"no envelope".to_vec(), signatures: vec![signature] };
        assert_eq!(verifier(1, 1).verify(&noise.bytes()), untrusted(0, 1));
    }

    #[test]
    fn a2_no_bit_of_an_envelope_survives_a_tampering_relay() {
        let honest = signed("1.0.0", &[1]);
        let mut verifier = verifier(1, 1);
        for at in 0..honest.envelope.len() * 8 {
            let mut tampered = honest.clone();
            tampered.envelope[at / 8] ^= 1 << (at % 8);
            assert_eq!(verifier.verify(&tampered.bytes()), untrusted(0, 1), "bit {at}");
        }
        assert_eq!(verifier.verify(&honest.bytes()), Ok(release("1.0.0").1));
    }

    #[test]
    fn a3_one_releases_signature_does_not_pass_for_anothers() {
        let (_, new) = release("2.0.0");
        let mixed = Signed { envelope: new.bytes(), ..signed("1.0.0", &[1]) };
        assert_eq!(verifier(1, 1).verify(&mixed.bytes()), untrusted(0, 1));
        // Old code under a new version: exactly what a signature over the code alone lets through.
        let (_, old) = release("1.0.0");
        let id = crate::release::ReleaseId::new(0, semver::Version::new(9, 0, 0), old.id.code);
        let relabelled = Envelope { id, class: new.class.clone(), ..Envelope::clone(&old) };
        let bugs = Bug::SignatureCoversCodeOnly.into();
        let mut signed = sign_with_bugs(&old, &[&key(1)], bugs);
        signed.envelope = relabelled.bytes();
        assert_eq!(verifier(1, 1).verify(&signed.bytes()), untrusted(0, 1));
        let mut fooled = Verifier::with_bugs(root(1, 1), bugs).unwrap();
        assert_eq!(fooled.verify(&signed.bytes()), Ok(Arc::new(relabelled)));
    }

    #[test]
    fn a3_another_apps_and_another_roots_releases_are_refused() {
        let other = signed("1.0.0 other-app", &[1]).bytes();
        let (expected, found) = ("toy".to_owned(), "other".to_owned());
        assert_eq!(verifier(1, 1).verify(&other), Err(Refusal::WrongApp { expected, found }));
        let (_, old_root) = release_with("1.0.0", |publication| publication.root = 7);
        let old_root = signed_envelope(&old_root, &[1]).bytes();
        assert_eq!(
            verifier(1, 1).verify(&old_root),
            Err(Refusal::WrongRoot { expected: 1, found: 7 })
        );
    }

    #[test]
    fn a9_one_key_is_one_signature_however_often_it_signs() {
        let once = signed("1.0.0", &[1]);
        let repeated = signed("1.0.0", &[1, 1, 1, 1]);
        let second = signed("1.0.0", &[1, 1, 2]);
        let mut verifier = verifier(2, 2);
        assert_eq!(verifier.verify(&once.bytes()), untrusted(1, 2));
        assert_eq!(verifier.verify(&repeated.bytes()), untrusted(1, 2));
        assert_eq!(verifier.verify(&second.bytes()), Ok(release("1.0.0").1));
    }

    #[test]
    fn a14_a_flood_of_forgeries_pushes_out_no_honest_verdict() {
        let honest = signed("1.0.0", &[1]).bytes();
        let mut verifier = verifier(1, 1);
        verifier.verify(&honest).unwrap();
        for number in 0..VERDICTS_MAX as u64 + 9 {
            let forged = Signed { envelope: number.to_le_bytes().to_vec(), signatures: Vec::new() };
            assert_eq!(verifier.verify(&forged.bytes()), untrusted(0, 1));
        }
        assert_eq!(verifier.refused.by_name.len(), VERDICTS_MAX);
        assert_eq!(verifier.refused.ages.len(), VERDICTS_MAX);
        assert_eq!(verifier.believed.by_name.len(), 1);
    }

    #[test]
    fn a_verdict_is_reached_once() {
        let (good, bad) = (signed("1.0.0", &[1]).bytes(), signed("1.0.0", &[9]).bytes());
        let mut verifier = verifier(1, 1);
        let first = verifier.verify(&good).unwrap();
        assert!(Arc::ptr_eq(&first, &verifier.verify(&good).unwrap()), "it was remembered");
        let refused = verifier.verify(&bad);
        // With its keys gone a verifier can only remember.
        verifier.keys.clear();
        assert_eq!(verifier.verify(&good), Ok(first));
        assert_eq!(verifier.verify(&bad), refused);
    }

    #[test]
    fn a19_a_second_encoding_of_an_honest_envelope_is_refused_even_when_signed() {
        let (_, envelope) = release("1.0.0");
        // The root's version, 1, at the very end: as two bytes instead of one.
        let mut long = envelope.bytes();
        assert_eq!(long.pop(), Some(1));
        long.extend([0x81, 0x00]);
        let signature = key(1).0.sign(&covered(&long, Bugs::NONE)).to_bytes();
        let signed = Signed { envelope: long, signatures: vec![(key(1).public(), signature)] };
        let refusal = Refusal::Malformed(Malformed("the shortest form of a number"));
        assert_eq!(verifier(1, 1).verify(&signed.bytes()), Err(refusal));
    }

    #[test]
    fn a19_a_signature_has_no_second_form() {
        /// The order of the group, little-endian.
        const ORDER: [u8; 32] = [
            0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9,
            0xde, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ];
        let mut signed = signed("1.0.0", &[1]);
        let mut carry = 0;
        for (byte, add) in signed.signatures[0].1[32..].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            (*byte, carry) = (sum as u8, sum >> 8);
        }
        assert_eq!(verifier(1, 1).verify(&signed.bytes()), untrusted(0, 1));
    }

    #[test]
    fn a19_a_key_for_which_anybody_can_sign_is_no_key() {
        let mut neutral = [0; 32];
        neutral[0] = 1;
        for weak in [neutral, [0; 32]].map(PublicKey) {
            let root = Root { keys: vec![weak], ..root(1, 1) };
            assert_eq!(Verifier::new(root).unwrap_err(), RootError::WeakKey(weak));
        }
    }

    #[test]
    fn a_root_that_asks_for_nobody_or_too_many_is_refused() {
        for threshold in [0, 3] {
            let error = RootError::Threshold { threshold, keys: 2 };
            assert_eq!(Verifier::new(root(threshold, 2)).unwrap_err(), error);
        }
        let twice = Root { keys: vec![key(1).public(); 2], ..root(2, 2) };
        assert_eq!(Verifier::new(twice).unwrap_err(), RootError::KeyTwice(key(1).public()));
        assert_eq!(Verifier::new(root(1, 17)).unwrap_err(), RootError::TooManyKeys(17));
    }

    #[test]
    fn a_trusted_signature_under_nonsense_is_refused_with_its_reason() {
        let (_, envelope) = release("1.0.0");
        let zero = semver::Version::new(0, 0, 0);
        let zero = crate::release::ReleaseId::new(0, zero, envelope.id.code);
        let class = crate::release::ApiClass::Major(9);
        for (nonsense, refusal) in [
            (Envelope { id: zero, ..Envelope::clone(&envelope) }, Refusal::BadVersion),
            (Envelope { class, ..Envelope::clone(&envelope) }, Refusal::Malformed(CLASS_MISFITS)),
        ] {
            let signed = signed_envelope(&nonsense, &[1]).bytes();
            assert_eq!(verifier(1, 1).verify(&signed), Err(refusal));
        }
    }

    #[test]
    fn a8_endless_bytes_and_signatures_are_refused_unread() {
        let mut verifier = verifier(1, 1);
        let endless = vec![0; SIGNED_BYTES_MAX + 1];
        let refusal = Refusal::Malformed(Malformed("a shorter signed envelope"));
        assert_eq!(verifier.verify(&endless), Err(refusal));
        assert!(verifier.refused.by_name.is_empty(), "it was not even hashed");
        let many = signed("1.0.0", &[1; SIGNATURES_MAX + 1]).bytes();
        assert_eq!(verifier.verify(&many), Err(Refusal::Malformed(Malformed("fewer signatures"))));
    }

    #[test]
    fn the_longest_envelope_with_every_signature_fits() {
        let version = format!("1.0.0-{}+{}", "a".repeat(64), "b".repeat(64));
        let change = |publication: &mut crate::release::Publication| {
            publication.epoch = u64::MAX;
            publication.root = u32::MAX;
        };
        let (_, envelope) = release_with(&version, change);
        let long = Envelope { app: "x".repeat(64), ..Envelope::clone(&envelope) };
        let keys: Vec<u8> = (1..=SIGNATURES_MAX as u8).collect();
        assert!(signed_envelope(&long, &keys).bytes().len() <= SIGNED_BYTES_MAX);
    }

    #[test]
    fn believing_looks_at_no_signature() {
        let forged = signed("1.0.0", &[]).bytes();
        assert_eq!(verifier(1, 1).believe(&forged), Ok(release("1.0.0").1));
    }

    #[test]
    fn a_secret_key_does_not_show() {
        assert_eq!(format!("{:?}", key(1)), format!("SigningKey({})", key(1).public()));
    }

    proptest! {
        #[test]
        fn a_signed_envelope_reads_back_as_written(
            envelope in envelopes(), keys in prop::collection::vec(any::<u8>(), 0..3)
        ) {
            let signed = signed_envelope(&envelope, &keys);
            prop_assert_eq!(Signed::decode(&signed.bytes()), Ok(signed));
        }

        #[test]
        fn hostile_bytes_are_refused(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(verifier(1, 1).verify(&noise).is_err());
            if let Ok(signed) = Signed::decode(&noise) {
                prop_assert_eq!(signed.bytes(), noise);
            }
        }
    }
}

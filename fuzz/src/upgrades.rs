//! The bytes of releases: what is signed, what stamps messages, what waits, and what texts name.

use std::{fmt::Display, str::FromStr, sync::LazyLock};

use app::native::Registry;
use contract::{NodeId, Span, Wire};
use upgrade::{
    bugs::{Bug, Bugs},
    gate::{HoldReason, RefuseReason},
    hold::{Hold, Limits},
    quarantine::Quarantine,
    release::{ApiClass, Budget, Envelope, Publication, ReleaseId, Rollout, Stamp, StampCache},
    trust::{Root, Signed, SigningKey, Verifier, sign},
};

use super::broadcast::canonical;

/// The publisher's key.
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed([7; 32]));

/// The root of trust of `app`.
pub(crate) fn root(app: &str) -> Root {
    Root { app: app.to_owned(), version: 1, threshold: 1, keys: vec![KEY.public()] }
}

/// A release: what is signed, and the code.
pub(crate) fn release(app: &str, version: &str) -> (Envelope, Vec<u8>, Vec<u8>) {
    let code = Registry::code(app, version, None, 0, 0);
    let program = Registry::standard().program(app, version, None).expect("a program");
    let publication = Publication {
        epoch: 0,
        version: version.parse().expect("a version"),
        class: None,
        rollout: Rollout::AtOnce,
        budget: Budget { fuel: 1_000_000, state_bytes: 1 << 20 },
        expires: None,
        root: 1,
    };
    let envelope = Envelope::for_code(program.manifest(), &code, publication).expect("a release");
    let signed = sign(&envelope, &[&KEY]).bytes();
    (envelope, signed, code)
}

static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new(root("counter")).expect("a root"));

/// What a text names is named by that text again, and by it alone.
fn named<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str)
where
    T::Err: std::fmt::Debug,
{
    if let Ok(named) = T::from_str(text) {
        assert_eq!(T::from_str(&named.to_string()).expect("as it is shown"), named, "{text:?}");
    }
}

/// Envelopes, signatures, stamps, reasons, what is held, and names in text.
pub(crate) fn wire(bytes: &[u8]) {
    let Some((head, bytes)) = bytes.split_first() else { return };
    match head % 10 {
        0 => _ = canonical::<Envelope>(bytes),
        1 => _ = canonical::<Signed>(bytes),
        2 => _ = canonical::<ReleaseId>(bytes),
        3 => stamp(bytes),
        4 => _ = canonical::<ApiClass>(bytes),
        5 => _ = canonical::<Quarantine>(bytes),
        6 => {
            canonical::<HoldReason>(bytes);
            canonical::<RefuseReason>(bytes);
            canonical::<Rollout>(bytes);
        }
        7 => {
            let limits = Limits::default();
            let mut rest = bytes;
            let Ok(hold) = Hold::<u64, u64>::read(&mut rest, limits, Bugs::default()) else {
                return;
            };
            let mut written = Vec::new();
            contract::Encode::encode(&hold, &mut written);
            assert_eq!(written, &bytes[..bytes.len() - rest.len()]);
        }
        8 => {
            let Ok(text) = std::str::from_utf8(bytes) else { return };
            named::<ApiClass>(text);
            named::<Bug>(text);
            named::<NodeId>(text);
            named::<Span>(text);
            named::<causal::Dot>(text);
        }
        _ => {
            // The signed bytes that are believed are those of the key's owner alone.
            let mut verifier = VERIFIER.clone();
            let first = verifier.verify(bytes);
            assert_eq!(verifier.verify(bytes), first, "a second look says otherwise");
            if let Ok(envelope) = first {
                let signed = Signed::decode(bytes).expect("it was verified");
                assert_eq!(Envelope::decode(&signed.envelope).as_ref(), Ok(&*envelope));
            }
            let _pretended = verifier.believe(bytes);
        }
    }
}

fn stamp(bytes: &[u8]) {
    let mut cache = StampCache::default();
    let stamp = canonical::<Stamp>(bytes);
    for _ in 0..2 {
        assert_eq!(cache.read(&mut &*bytes).ok(), stamp, "the cache reads as its owner does");
    }
    if let Some(stamp) = stamp {
        stamp.to_string();
    }
}

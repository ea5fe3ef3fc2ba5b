//! What an edit is asked that it cannot do is refused with the reason, and no draw puts elements out of order.

use sequence::{Author, Dot, Naming, Options, Refused, Sequence};

fn site(site: u32) -> Sequence {
    Sequence::new(site, Options::default()).expect("a site")
}

#[test]
fn a_draw_that_is_too_great_puts_nothing_out_of_order() {
    let draws: [fn(u64) -> u64; 3] = [|n| n, |_| u64::MAX, |_| 1 << 63];
    for naming in [Naming::Blocks, Naming::Elements] {
        for mut draw in draws {
            let options = Options { naming, ..Options::default() };
            let mut replica = Sequence::new(1, options).expect("a site");
            let mut clamped = Sequence::new(1, options).expect("a site");
            let mut other = Sequence::new(2, options).expect("a site");
            for at in [0, 0, 1, 1, 2, 3, 1, 0, 8] {
                let drafted = replica.clone();
                let told = replica.insert(at, "x", &mut draw).expect("inside");
                replica.check();
                let same = clamped.insert(at, "x", &mut |n| n - 1).expect("inside");
                assert_eq!(told, same);
                for operation in told {
                    other.apply(&operation).expect("an author's operation");
                }
                let author = Author { next: Dot { site: 3, clock: 0 }, naming };
                let mut third = drafted.clone();
                let told = drafted.drafted_insert(author, |_| None, at, "y", &mut draw);
                for operation in told.expect("inside") {
                    third.apply(&operation).expect("an author's operation");
                }
                third.check();
            }
            assert_eq!(other.intervals(), replica.intervals());
        }
    }
}

#[test]
fn a_range_that_runs_backwards_is_refused_as_such() {
    let mut replica = site(1);
    replica.insert(0, "abc", &mut |n| n / 2).expect("inside");
    let ranges = [(2, 1), (3, 0)].map(|(start, end)| std::ops::Range { start, end });
    for range in ranges {
        let why = Refused::Backwards { from: range.start, to: range.end };
        assert_eq!(replica.remove(range.clone()), Err(why.clone()));
        assert_eq!(replica.remove_untold(range.clone()), Err(why.clone()));
        assert_eq!(replica.drafted_remove(range.clone()), Err(why.clone()));
        assert_eq!(replica.slice(range), Err(why));
    }
    let why = Refused::Backwards { from: 2, to: 1 };
    assert_eq!(why.to_string(), "a range from 2 to 1 ends before it begins");
    let (index, length) = (4, 3);
    assert_eq!(replica.index_to_utf8(4), Err(Refused::Range { index, length }));
}

#[test]
fn a_site_that_cannot_be_is_refused_by_its_number() {
    for bad in [0, 1 << 31, u32::MAX] {
        let refused = Sequence::new(bad, Options::default()).expect_err("no site");
        assert_eq!(refused, Refused::Site(bad));
        assert_eq!(refused.to_string(), format!("site {bad} is not one of 1 to 2147483647"));
    }
    assert_eq!(site((1 << 31) - 1).site(), i32::MAX as u32);
}

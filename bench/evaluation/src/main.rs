//! The evaluation of the papers on RenamableLogootSplit, repeated on ours.

mod bot;
mod fleet;
mod message;
mod objects;
mod row;
mod sample;

fn main() {
    for path in std::env::args().skip(1) {
        let row = row::Row::read(std::path::Path::new(&path)).unwrap();
        let before = common::usage::now();
        let outcome = fleet::run(&row).unwrap();
        println!(
            "{} {:032x} {} s cpu {} ms",
            row.name,
            outcome.fingerprint,
            outcome.virtual_nanos / 1_000_000_000,
            common::usage::now().micros_since(&before) / 1000
        );
        for sample in &outcome.samples[0] {
            println!("{sample:?}");
        }
    }
}

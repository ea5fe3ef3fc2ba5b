//! simctl
fn main(){}

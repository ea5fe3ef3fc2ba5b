//! Tests of the simulator, one binary.

mod calibration;
mod chaos;
mod faults;
mod independence;
mod probe;
mod world;

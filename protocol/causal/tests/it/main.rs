//! The layer from outside: fleets on a bad network, and what forgers send.

mod fleet;
mod forged;
mod random;

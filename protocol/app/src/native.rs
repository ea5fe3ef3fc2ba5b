//! Native applications (being written).

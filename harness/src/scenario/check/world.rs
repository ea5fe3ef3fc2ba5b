//! That the network's and the disks' settings make sense.

use super::{
    super::{Latency, Network, Reorder},
    Check, Code,
};

impl Check<'_> {
    pub(super) fn network(&mut self) {
        let Network { latency, reorder, links, .. } = &self.scenario.network;
        if let Some(latency) = latency {
            self.latency(latency, "network.latency");
        }
        self.reorder(*reorder, "network.reorder");
        for (index, link) in links.iter().enumerate() {
            let path = format!("network.link.{index}");
            self.link(link.sender, link.receiver, &path);
            if let Some(latency) = &link.latency {
                self.latency(latency, &format!("{path}.latency"));
            }
            self.reorder(link.reorder, &format!("{path}.reorder"));
        }
        if let Some(latency) = &self.scenario.disk.latency {
            self.latency(latency, "disk.latency");
        }
    }

    fn reorder(&mut self, reorder: Option<Reorder>, path: &str) {
        if let Some(reorder) = reorder {
            self.above_zero(*reorder.by, &format!("{path}.by"));
        }
    }

    pub(super) fn latency(&mut self, latency: &Latency, path: &str) {
        match latency {
            Latency::Constant(_) => {}
            Latency::Uniform(uniform) => {
                self.ordered(*uniform.min, *uniform.max, &format!("{path}.uniform.max"));
            }
            Latency::Exponential(exponential) => {
                let path = format!("{path}.exponential");
                self.ordered(*exponential.min, *exponential.mean, &format!("{path}.mean"));
                self.ordered(*exponential.mean, *exponential.max, &format!("{path}.max"));
            }
            Latency::LogNormal(normal) => {
                self.ordered(*normal.median, *normal.max, &format!("{path}.log-normal.max"));
            }
            Latency::Pareto(pareto) => {
                self.ordered(*pareto.min, *pareto.max, &format!("{path}.pareto.max"));
                if pareto.alpha.milli == 0 {
                    self.mistake(
                        Code::BadQuantity,
                        &format!("{path}.pareto.alpha"),
                        "a tail that never falls".to_owned(),
                        "expected a number above 0",
                    );
                }
            }
            Latency::Bimodal(bimodal) => {
                self.ordered(*bimodal.fast, *bimodal.slow, &format!("{path}.bimodal.slow"));
            }
            Latency::Table(steps) => {
                let sum: u64 = steps.iter().map(|step| u64::from(step.share.ppm)).sum();
                if sum != 1_000_000 {
                    let title = format!("the shares add up to {} ppm", sum);
                    self.mistake(
                        Code::Contradiction,
                        &format!("{path}.table"),
                        title,
                        "expected shares that add up to `100%`",
                    );
                }
            }
        }
    }
}

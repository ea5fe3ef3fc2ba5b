//! Documents that several wrote at once: who knew what when they wrote it.

use std::{collections::BTreeSet, path::Path};

use serde::Deserialize;

use crate::{Patch, read_json};

/// The traces of several authors.
pub const CONCURRENT: [&str; 2] = ["friendsforever", "clownschool"];

/// What an author did at once, on top of all that its parents know.
#[derive(Clone, Debug, Deserialize)]
pub struct Transaction {
    /// Those that it follows directly, by their numbers. Each author's follow each other.
    pub parents: Vec<usize>,
    /// Who, by number.
    pub agent: usize,
    /// What was done, in order.
    pub patches: Vec<Patch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    end_content: String,
    num_agents: usize,
    txns: Vec<Transaction>,
}

/// A document from its beginning to its end. No two ever wrote at the same place at once.
#[derive(Debug)]
pub struct History {
    /// Its name.
    pub name: String,
    /// How many wrote it.
    pub agents: usize,
    /// What was done, each behind its parents.
    pub transactions: Vec<Transaction>,
    /// What must come of it.
    pub end: String,
}

impl History {
    /// The history `name` of the folder `folder`.
    ///
    /// Errors: a fragment that says which file is not there, or is none.
    pub fn read(folder: &Path, name: &str) -> Result<Self, String> {
        let path = folder.join("concurrent").join(format!("{name}.json.gz"));
        let written: Written = read_json(&path)?;
        for (at, transaction) in written.txns.iter().enumerate() {
            let known = transaction.parents.iter().all(|parent| *parent < at);
            if !known || transaction.agent >= written.num_agents {
                return Err(format!(
                    "{}: transaction {at} follows what is not there",
                    path.display()
                ));
            }
        }
        Ok(Self {
            name: name.to_owned(),
            agents: written.num_agents,
            transactions: written.txns,
            end: written.end_content,
        })
    }

    /// Its first `count` transactions, with the same end.
    pub fn first(&self, count: usize) -> Self {
        let transactions = self.transactions.iter().take(count).cloned().collect();
        Self { transactions, name: self.name.clone(), agents: self.agents, end: self.end.clone() }
    }

    /// What each transaction's author has to learn before it, in order.
    pub fn news(&self) -> Vec<Vec<usize>> {
        let mut known = vec![vec![false; self.transactions.len()]; self.agents];
        let mut news = Vec::with_capacity(self.transactions.len());
        for (at, transaction) in self.transactions.iter().enumerate() {
            let known = &mut known[transaction.agent];
            let mut fresh = BTreeSet::new();
            let mut left = transaction.parents.clone();
            while let Some(parent) = left.pop() {
                if !std::mem::replace(&mut known[parent], true) {
                    fresh.insert(parent);
                    left.extend(&self.transactions[parent].parents);
                }
            }
            known[at] = true;
            news.push(fresh.into_iter().collect());
        }
        news
    }
}

//! The command for the audit chain: audit verify.

use sha2::{Digest, Sha256};
use wiki_types::ChainEntry;
use wiki_types::rules::MAX_LIMIT;

use crate::args::{Global, Known, Verify};
use crate::error::Error;
use crate::output;
use crate::text::bytes;
use crate::wiki::{Wiki, decode, with_query};

/// `wasiki audit verify`: computes the hashes of the chain again, from the first entry on or from one that was checked before.
///
/// Fails at the first entry that is not what it was, or is missing.
pub fn verify(wiki: &Wiki, global: &Global, args: &Verify) -> anyhow::Result<()> {
    let mut chain = match &args.known {
        Some(known) => Chain { last: known.number - 1, hash: None, known: Some(known.clone()) },
        None => Chain { last: 0, hash: Some([0; 32]), known: None },
    };
    let (after, limit) = (chain.last.to_string(), MAX_LIMIT.to_string());
    let mut checked = 0_u64;
    for entry in wiki.list(with_query("/audit/chain", &[("after", &after), ("limit", &limit)]), "entries") {
        chain.take(&decode::<ChainEntry>(entry?)?)?;
        checked += 1;
    }
    let head = chain.end()?;
    if global.json {
        return Ok(output::json(&serde_json::json!({"checked": checked, "head": head}))?);
    }
    let result = match head {
        Some(head) => format!("{checked} entries checked. The last one is {head}"),
        None => "the chain is empty".to_owned(),
    };
    Ok(output::line(&result)?)
}

/// The part of the chain that was read.
struct Chain {
    /// The number of the last entry.
    last: i64,
    /// Its hash, if it is known.
    hash: Option<[u8; 32]>,
    /// What the first entry has to be.
    known: Option<Known>,
}

impl Chain {
    fn take(&mut self, entry: &ChainEntry) -> Result<(), Error> {
        let broken =
            |what: &str| Error::Unexpected(format!("the audit chain is broken at entry {}: {what}", entry.number));
        if entry.number != self.last + 1 {
            return Err(broken(&format!("entry {} is missing", self.last + 1)));
        }
        let stated = bytes(&entry.hash).ok_or_else(|| broken("its hash cannot be read"))?;
        if let Some(known) = self.known.take() {
            if known.hash != stated {
                return Err(broken("it is not the entry that was checked before"));
            }
        } else if let Some(before) = self.hash
            && hash(&before, entry) != stated
        {
            return Err(broken("its hash does not fit what it says, or the entry before"));
        }
        (self.last, self.hash) = (entry.number, Some(stated));
        Ok(())
    }

    /// The last entry, as `--known` takes it.
    fn end(&self) -> Result<Option<String>, Error> {
        if let Some(known) = &self.known {
            let message = format!("the audit chain ends before entry {}, which was checked before", known.number);
            return Err(Error::Unexpected(message));
        }
        let head = |hash: [u8; 32]| format!("{}:{}", self.last, hexadecimal(&hash));
        Ok(self.hash.filter(|_| self.last > 0).map(head))
    }
}

/// The hash of an entry, as `docs/EVENTS.md` says.
fn hash(before: &[u8; 32], entry: &ChainEntry) -> [u8; 32] {
    let text = format!("{}\n{}", entry.number, entry.entry);
    Sha256::new().chain_update(before).chain_update(text).finalize().into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(texts: &[&str]) -> Vec<ChainEntry> {
        let mut before = [0; 32];
        let mut entries = Vec::new();
        for (number, text) in (1..).zip(texts) {
            let mut entry = ChainEntry { number, hash: String::new(), entry: (*text).to_owned() };
            before = hash(&before, &entry);
            entry.hash = hexadecimal(&before);
            entries.push(entry);
        }
        entries
    }

    fn check(known: Option<Known>, entries: &[ChainEntry]) -> Result<Option<String>, String> {
        let last = known.as_ref().map_or(0, |known| known.number - 1);
        let mut chain = Chain { last, hash: known.is_none().then_some([0; 32]), known };
        entries.iter().try_for_each(|entry| chain.take(entry)).map_err(|error| error.to_string())?;
        chain.end().map_err(|error| error.to_string())
    }

    #[test]
    fn whatever_is_changed_is_found() {
        let good = entries(&["a", "b", "c"]);
        assert_eq!(check(None, &good).unwrap().unwrap(), format!("3:{}", good[2].hash));
        assert_eq!(check(None, &[]).unwrap(), None);

        let mut changed = good.clone();
        changed[1].entry = "x".to_owned();
        assert!(check(None, &changed).unwrap_err().contains("broken at entry 2"), "a text");
        let mut removed = good.clone();
        removed.remove(1);
        assert!(check(None, &removed).unwrap_err().contains("entry 2 is missing"), "an entry");
        let mut rehashed = good.clone();
        rehashed[1] = entries(&["z", "b"])[1].clone();
        assert!(check(None, &rehashed).unwrap_err().contains("broken at entry 2"), "a hash");
    }

    #[test]
    fn a_chain_that_was_made_anew_is_found_by_what_was_known() {
        let (good, other) = (entries(&["a", "b", "c"]), entries(&["a", "x", "c"]));
        let known = Known { number: 2, hash: bytes(&good[1].hash).unwrap() };
        assert!(check(None, &other).is_ok(), "nothing in it says so");
        assert!(check(Some(known.clone()), &other[1..]).unwrap_err().contains("checked before"));
        assert!(check(Some(known.clone()), &[]).unwrap_err().contains("ends before entry 2"));
        assert_eq!(check(Some(known), &good[1..]).unwrap().unwrap(), format!("3:{}", good[2].hash));
    }
}

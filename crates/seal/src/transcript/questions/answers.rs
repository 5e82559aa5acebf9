//! Who answers a question for letters, and who can't.

use estoile_wire::{Millis, PublicKey};

use super::{Question, Questions, Stage};
use crate::transcript::senders::Senders;
use crate::transcript::types::{Finding, Hash};

impl Questions {
    /// An author who was removed can't answer: only time is left, and it is over.
    pub(super) fn pass_over_gone(&mut self, now: Millis, senders: &Senders) {
        for (number, q) in &mut self.list {
            let waits = matches!(q.stage, Stage::Unasked | Stage::Author(_)) && q.stage != Stage::Author(now);
            if waits && senders.get(&q.author).is_some_and(|s| s.gone) {
                q.stage = Stage::Author(now);
                self.dirty.insert(*number);
            }
        }
    }

    /// A letter is said to be ours and we never wrote it: nobody need be asked.
    pub(in crate::transcript) fn not_mine(&mut self, hash: &Hash, own: &PublicKey) -> Option<Finding> {
        let number = *self.by_hash.get(hash)?;
        let q = self.list.get_mut(&number)?;
        q.stage = Stage::Told;
        Some(Finding::Invented { by: q.by, author: *own, letter: *hash })
    }

    /// A member knows nothing of a letter. With the author's and another's word it was invented. If the author itself had
    /// named it, it was withdrawn: that question is returned as the second value.
    pub(in crate::transcript) fn denied(
        &mut self,
        hash: &Hash,
        by: &PublicKey,
        own: &PublicKey,
    ) -> (Option<Finding>, Option<Question>) {
        let Some(number) = self.by_hash.get(hash).copied() else { return (None, None) };
        let Some(q) = self.list.get_mut(&number).filter(|q| q.stage != Stage::Told) else {
            return (None, None);
        };
        if *by == q.author {
            q.author_denies = true;
        } else if *by != q.by && by != own {
            q.other_denies = true;
        }
        self.dirty.insert(number);
        if q.author_denies && q.author == q.by {
            return (None, self.close(number));
        }
        if !(q.author_denies && q.other_denies) {
            return (None, None);
        }
        q.stage = Stage::Told;
        (Some(Finding::Invented { by: q.by, author: q.author, letter: *hash }), None)
    }
}

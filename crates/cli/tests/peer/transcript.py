"""What a reader knows of one room: docs/seal.md section 8, without persistence."""

MAX_PARENTS = 16


class Transcript:
    """Letters by hash, and what they name."""

    def __init__(self):
        self.letters = {}
        self.by_counter = {}
        self.named = {}

    def observe(self, letter):
        """"new", "repeat", "two-faced", or "broken" (S8.4, S8.7)."""
        if letter.hash in self.letters:
            return "repeat"
        if any(p.sender == letter.sender and p.counter >= letter.counter for p in letter.parents):
            return "broken"
        under = (letter.sender, letter.counter)
        verdict = "two-faced" if under in self.by_counter else "new"
        self.letters[letter.hash] = letter
        self.by_counter.setdefault(under, letter)
        self.named.update((p.hash, p) for p in letter.parents)
        return verdict

    def missing(self):
        """Named letters that are not here (S8.5's rules of life are the caller's)."""
        return {digest: parent for digest, parent in self.named.items() if digest not in self.letters}

    def parents(self, sender):
        """For the next letter of `sender`: what nobody has named, and the sender's own last letter (S8.1)."""
        own = [letter for letter in self.letters.values() if letter.sender == sender]
        last = max(own, key=lambda letter: letter.counter, default=None)
        heads = [letter for letter in self.letters.values() if letter.hash not in self.named and letter is not last]
        heads.sort(key=lambda letter: letter.sent_at, reverse=True)
        chosen = heads[: MAX_PARENTS - (last is not None)] + ([] if last is None else [last])
        return [letter.reference() for letter in chosen]

    def seen(self, digest):
        """Others than its sender whose letters have this one among their ancestors (S8.6)."""
        author = self.letters[digest].sender
        return {l.sender for l in self.letters.values() if l.sender != author and digest in self._ancestors(l)}

    def _before(self, letter):
        """Its parents that are here, and its sender's letter before it."""
        before = [self.letters[p.hash] for p in letter.parents if p.hash in self.letters]
        earlier = [l for l in self.letters.values() if l.sender == letter.sender and l.counter < letter.counter]
        return before + sorted(earlier, key=lambda l: l.counter)[-1:]

    def _ancestors(self, letter):
        found, open_ends = set(), [letter]
        while open_ends:
            for before in self._before(open_ends.pop()):
                if before.hash not in found:
                    found.add(before.hash)
                    open_ends.append(before)
        return found

    def ordered(self):
        """S8.2."""
        places = {}

        def place(letter):
            if letter.hash not in places:
                before = [place(b) for b in self._before(letter)]
                time = max([letter.sent_at, *(b[0] for b in before)])
                steps = [b[1] for b in before if b[0] == time]
                step = 1 + max(steps) if steps else 0
                places[letter.hash] = (time, step, letter.sent_at, letter.hash)
            return places[letter.hash]

        return sorted(self.letters.values(), key=place)

#!/usr/bin/env python3
"""A bot that lives in a room of its vault and answers: `!ping`, `!time`, `!roll 6`, `!help`.

    export ESTOILE_PASSPHRASE='the words that unlock the bot's folder'
    estoile account new --as Bot --relay URL --data bot     # once; write the recovery words down
    estoile contact link --data bot                         # somebody adds the bot and invites it
    estoile contact accept NAME --data bot                  # the bot's yes to them
    python3 examples/bot.py ROOM --data bot

It needs nothing but Python's standard library and the program `estoile` (--estoile PATH, if it is not on the PATH). Two
commands do the work: `tail --json` tells what is said, a line each, and `send --json` says when an answer is kept. Both use
the same folder: the follower has it, and the sender acts through it.

A pipe is at least once across a crash: every line has its id, so that a bot that must not answer twice can remember it.
"""

import argparse
import datetime
import json
import random
import subprocess
import sys


def answer(text):
    """What the bot says to a text; None: nothing."""
    command, _, rest = text.strip().partition(" ")
    if command == "!ping":
        return "pong"
    if command == "!time":
        return datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M:%S UTC")
    if command == "!roll":
        sides = int(rest) if rest.isascii() and rest.isdigit() and len(rest) < 7 else 6
        return f"{random.SystemRandom().randint(1, max(sides, 1))} of {max(sides, 1)}"
    if command == "!help":
        return "I know !ping, !time, !roll SIDES and !help."
    return None


def main():
    parser = argparse.ArgumentParser(description="A bot that answers in a room.")
    parser.add_argument("room", help="the room's name or number")
    parser.add_argument("--data", required=True, help="the bot's data folder")
    parser.add_argument("--estoile", default="estoile", help="the program")
    args = parser.parse_args()

    tail = subprocess.Popen(
        [args.estoile, "tail", args.room, "--json", "--data", args.data],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    for line in tail.stdout:
        said = json.loads(line)
        # Its own messages come back like everybody's; an answer to them would never end.
        if said["type"] != "message" or said.get("own"):
            continue
        reply = answer(said["text"])
        if reply is None:
            continue
        sent = subprocess.run(
            [args.estoile, "send", args.room, "--json", "--data", args.data],
            input=reply + "\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        if sent.returncode != 0:
            print(f"not answered: {sent.stderr.strip()}", file=sys.stderr)
    return tail.wait()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

//! The account of this vault: its chain, contacts, requests, devices, shelf, mailbox and doors.

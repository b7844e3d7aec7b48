"""The notice that a new installation publishes: true of what the product does, in plain words, to be replaced."""

from mailer.core.channel import Brand
from mailer.policy.pack import DEFAULT, Pack

VERSION = "1"

TEXT = """\
# How {name} uses what you give us

## Who is responsible
{name}
{postal_address}
Write to us at {help_email}. We decide what happens with your data and answer for it.

## What we keep, and what for
- **Your email address**, to send you the news that you asked for.
- **Your first name**, if you gave one, only to say hello.
- **Your choices**: topics, how often, text or pictures, breaks, and whether you want offers from other companies.
- **Proof of your choices**: when you made them, the exact words you saw, and the version of this notice.
- **What we sent you**: which message went out, when, and whether your mail provider took it.
- **A scrambled fingerprint of your address** if you asked us to stop, so that we never write to you again by mistake.

We do this because you agreed (Article 6 (1) (a) of the GDPR, where it applies). The fingerprint, and proof that you
agreed, we keep because the law asks us to respect and to show your choices (Article 6 (1) (c) and (f)).
You need not give us anything. Without an email address we cannot send you email, and that is all.
{age_line} We do not ask your age.

## Offers from other companies
Only if you ticked that box, which is never ticked for you. We send such offers ourselves. The other company never
learns your address or anything else about you.

## What we do not do
- We do not sell, rent, lend or swap what we know about you.
- We do not track you. Our messages hold no invisible pictures, and links to what we write about are the same for
  everybody. Only the links with which you stop or change messages are yours alone.
- We do not keep your internet address (IP) with you or with your consent.
- Public pages set no cookies and load nothing from other companies.
- No machine takes decisions about you.

## Who else handles it
Our own staff, as far as their work needs it; addresses are hidden from them unless there is a reason, which is noted.
Your address and the message pass through mail servers, ours or our mail provider's, and your own provider's.
Where that provider works outside your country, ask us and we tell you which it is and what protects your data.
We give data to authorities only where the law obliges us to.

## How long
- If you ask to join and do not confirm: 7 days.
- Which messages we sent you: 90 days, then only totals.
- Everything else: until you ask us to erase it.
- The fingerprint of an address that asked us to stop: as long as we send anything at all.
Your address and name are stored encrypted under a key of your own. When you are erased that key is destroyed.
What is left in older backups then cannot be opened without it; copies of the key end with our next key backup.

## Stop, look, change, erase
- **Stop**: press the link at the end of any message, or the unsubscribe button of your mail program. It works at once.
- **Change**: the preferences link at the end of any message.
- **Copy, correct, erase, limit, object, take elsewhere**: write to {help_email} or to our postal address. We answer
  within one month.
You may take back your agreement at any time. What was sent before stays lawful.
You may complain to the data protection authority where you live or work.

## When this changes
We publish a new version at {public_url}/privacy, with the day from which it holds, and tell you before anything
important changes. Older versions stay readable there.
"""

NO_ADDRESS_YET = "the address at the end of this page"
"""For who has not said yet where people may ask; a page ends with that address as soon as there is one."""


def text(brand: Brand, pack: Pack = DEFAULT) -> str:
    """The starter notice with the organisation's own name and addresses, as far as they are known."""
    return TEXT.format(
        name=brand.name, postal_address=brand.postal_address, help_email=brand.help_email or NO_ADDRESS_YET,
        public_url=brand.public_url, age_line=pack.age_line)

"""Verifies the DKIM signature of a mail as mail servers do, with the library of others.

    verify.py MAIL RECORD

MAIL is a file with the message as it came over the wire, RECORD the TXT record that is
published. Ends with 0 if the signature is good, with 1 and a reason if it is not.
"""

import sys

import dkim


def main(mail, record):
    with open(mail, "rb") as file:
        message = file.read()
    asked = []

    def published(name, timeout=5):
        asked.append(name)
        return record.encode()

    signed = dkim.DKIM(message)
    try:
        good = signed.verify(dnsfunc=published)
    except dkim.DKIMException as error:
        return f"{type(error).__name__}: {error}"
    if not good:
        return "the signature is not that of this message"
    print(*(name.decode() for name in asked), *(name.decode() for name in signed.include_headers))
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

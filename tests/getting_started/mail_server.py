"""An SMTP server for tests: takes mail from those who log in, and writes each as a file.

usage: mail_server.py PORT FOLDER USER PASSWORD

The first delivery is refused for the time being, as a server does that is busy.
"""

import asyncio
import pathlib
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

port, folder, user, password = int(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data == LoginPassword(user.encode(), password.encode())
    return AuthResult(success=known, handled=False)


class Files:
    def __init__(self):
        self.refused = 0
        self.stored = 0

    async def handle_DATA(self, server, session, envelope):
        if not self.refused:
            self.refused += 1
            return "451 busy, try again"
        self.stored += 1
        head = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {','.join(envelope.rcpt_tos)}\r\n"
        partial = folder / f"{self.stored}.part"
        partial.write_bytes(head.encode() + envelope.content)
        partial.rename(folder / f"{self.stored}.eml")
        return "250 stored"


controller = Controller(
    Files(), hostname="127.0.0.1", port=port, authenticator=authenticate, auth_required=True, auth_require_tls=False
)
controller.start()
asyncio.new_event_loop().run_forever()

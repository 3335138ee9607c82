"""A mail server that keeps what it is sent, one JSON object a line, as Python's own mail parser reads it.

Arguments: port, file to write to, and options as JSON.
"""

import asyncio
import email
import email.policy
import hmac
import json
import signal
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, MISSING

port, path, options = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])


class Handler:
    def refusal(self, step, text):
        for answer in options.get("answers", []):
            if answer[0] == step and answer[1] in text:
                options["answers"].remove(answer)
                return answer[2]
        return None

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        refusal = self.refusal("MAIL", address)
        if refusal:
            return refusal
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        refusal = self.refusal("RCPT", address)
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = mail.get_content()
        refusal = self.refusal("DATA", body)
        if refusal:
            return refusal
        record = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "headers": mail.keys(),
            "subject": mail["Subject"],
            "date": mail["Date"].datetime.timestamp(),
            "defects": [str(defect) for defect in mail.defects],
            "body": body,
            "encrypted": session.ssl is not None or bool(options.get("at_once")),
            "login": session.auth_data.decode() if isinstance(session.auth_data, bytes) else None,
        }
        with open(path, "a") as out:
            out.write(json.dumps(record) + "\n")
        return "250 OK"

    async def auth_CRAM__MD5(self, server, args):
        challenge = b"<1.2@here>"
        answer = await server.challenge_auth(challenge)
        if answer is MISSING:
            return AuthResult(success=False)
        user, digest = answer.decode().rsplit(" ", 1)
        wanted = hmac.new(options["password"].encode(), challenge, "md5").hexdigest()
        good = user == options["user"] and hmac.compare_digest(wanted, digest)
        return AuthResult(success=good, handled=False, auth_data=b"CRAM-MD5" if good else None)


def authenticate(server, session, envelope, mechanism, data):
    good = data.login.decode() == options.get("user") and data.password.decode() == options.get("password")
    return AuthResult(success=good, handled=False, auth_data=mechanism.encode() if good else None)


def context():
    if "certificate" not in options:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(options["certificate"], options["key"])
    return made


async def main():
    at_once = options.get("at_once")
    tls = context()

    def session():
        return SMTP(
            Handler(),
            hostname="here",
            tls_context=None if at_once else tls,
            require_starttls=bool(options.get("require_starttls")),
            auth_required="user" in options,
            auth_require_tls=False,
            authenticator=authenticate,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", port, ssl=tls if at_once else None)
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()


asyncio.run(main())

"""A program as somebody would write it with authlib and requests, driven by client-python.test.ts:
one JSON request a line on stdin, one JSON answer a line on stdout. Its JWKS cache follows
Cache-Control and asks again for an unknown kid, though not within 30 s of the last time."""

import json
import os
import re
import sys

import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.jose import JoseError, JsonWebKey, JsonWebToken
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

# The loopback issuer of a test speaks no TLS.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
TIMEOUT_SECONDS = 10
UNKNOWN_KID_PAUSE_SECONDS = 30

http = requests.Session()
http.trust_env = False


def fetch(url):
    answer = http.get(url, timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    return answer


def discover(issuer, suffix="oauth-authorization-server"):
    url = get_well_known_url(issuer, external=True, suffix=suffix)
    metadata = AuthorizationServerMetadata(fetch(url).json())
    if metadata["issuer"] != issuer:
        raise ValueError("metadata of another issuer")
    return metadata


def discover_both(request):
    suffixes = ["oauth-authorization-server", "openid-configuration"]
    return [discover(request["issuer"], suffix) for suffix in suffixes]


def validate_metadata(request):
    """What authlib's own checks have to say about the metadata, member by member."""
    metadata = discover(request["issuer"])
    complaints = []
    for key in metadata.REGISTRY_KEYS:
        try:
            getattr(metadata, "validate_" + key)()
        except ValueError as error:
            complaints.append(str(error))
    return complaints


def open_session(request):
    client = request["client"]
    return OAuth2Session(
        client["id"],
        client["secret"] or None,
        token_endpoint_auth_method=client["method"],
        # Introspection goes by it, too.
        revocation_endpoint_auth_method=client["method"],
        default_timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )


def wishes(request):
    return {key: request[key] for key in ("scope", "resource") if request.get(key)}


def request_by_credentials(request):
    url = discover(request["client"]["issuer"])["token_endpoint"]
    session = open_session(request)
    return session.fetch_token(url, grant_type="client_credentials", **wishes(request))


def log_in(request):
    url = discover(request["client"]["issuer"])["token_endpoint"]
    login = {"username": request["username"], "password": request["password"]}
    return open_session(request).fetch_token(url, **login, **wishes(request))


def refresh(request):
    url = discover(request["client"]["issuer"])["token_endpoint"]
    session = open_session(request)
    return session.refresh_token(url, refresh_token=request["token"], **wishes(request))


def revoke(request):
    url = discover(request["client"]["issuer"])["revocation_endpoint"]
    answer = open_session(request).revoke_token(url, request["token"], request["kind"])
    answer.raise_for_status()
    return {}


def introspect(request):
    url = discover(request["client"]["issuer"])["introspection_endpoint"]
    answer = open_session(request).introspect_token(url, request["token"])
    answer.raise_for_status()
    return answer.json()


class Verifier:
    def __init__(self, settings):
        self.settings = settings
        self.jwt = JsonWebToken([settings["algorithm"]])
        self.keys = None
        self.fetched_at = 0
        self.max_age = 0

    def verify(self, token, now):
        options = {
            "iss": {"essential": True, "value": self.settings["issuer"]},
            "aud": {"essential": True, "value": self.settings["audience"]},
            "exp": {"essential": True},
        }
        find_key = lambda header, payload: self.find_key(header.get("kid"), now)
        claims = self.jwt.decode(token, find_key, claims_options=options)
        claims.validate(now=now)
        if claims.header.get("typ") != "at+jwt":
            raise ValueError("the type is not at+jwt")
        return dict(claims)

    def find_key(self, kid, now):
        age = now - self.fetched_at
        if self.keys is None or age >= self.max_age:
            self.load(now)
        try:
            return self.keys.find_by_kid(kid)
        except ValueError:
            if age < UNKNOWN_KID_PAUSE_SECONDS:
                raise
        self.load(now)
        return self.keys.find_by_kid(kid)

    def load(self, now):
        answer = fetch(self.settings["jwksUri"])
        self.keys = JsonWebKey.import_key_set(answer.json())
        lifetime = re.search(r"max-age=(\d+)", answer.headers.get("Cache-Control", ""))
        self.max_age = int(lifetime.group(1)) if lifetime else 0
        self.fetched_at = now


verifiers = {}


def verify(request):
    settings = request["settings"]
    verifier = verifiers.setdefault(settings["issuer"], Verifier(settings))
    return verifier.verify(request["token"], request["now"])


ACTIONS = {
    "discover": discover_both,
    "validateMetadata": validate_metadata,
    "requestByCredentials": request_by_credentials,
    "logIn": log_in,
    "refresh": refresh,
    "revoke": revoke,
    "introspect": introspect,
    "verify": verify,
}


def answer(request):
    try:
        return {"ok": ACTIONS[request["do"]](request)}
    except OAuthError as error:
        return {"refused": "OAuthError", "code": error.error}
    except (JoseError, ValueError) as error:
        return {"refused": type(error).__name__, "code": str(error)}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

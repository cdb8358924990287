"""A program as somebody would write it with google-auth, driven by program-google-auth.test.ts: one
JSON request a line on stdin, one JSON answer a line on stdout. Credentials are kept by name from one
request to the next, as a program keeps them for as long as it runs."""

import json
import sys
import threading

import pkg_resources
from google.auth import jwt
from google.auth.exceptions import RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2.credentials import Credentials

kept = {}


def describe(credentials):
    return {
        "token": credentials.token,
        "refreshToken": credentials.refresh_token,
        "valid": credentials.valid,
    }


def version(request):
    return pkg_resources.get_distribution("google-auth").version


def open_credentials(request):
    kept[request["name"]] = Credentials(
        None,
        refresh_token=request["refreshToken"],
        token_uri=request["tokenUri"],
        client_id=request["clientId"],
        client_secret=request["clientSecret"],
    )
    return {}


def token_uri_of_file(request):
    return Credentials.from_authorized_user_info(request["info"]).token_uri


def refresh(request):
    credentials = kept[request["name"]]
    credentials.refresh(Request())
    return describe(credentials)


def refresh_by_two_threads(request):
    credentials = kept[request["name"]]
    barrier = threading.Barrier(2)

    def run():
        barrier.wait()
        credentials.refresh(Request())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return describe(credentials)


def get(request):
    credentials = kept[request["name"]]
    status = AuthorizedSession(credentials).get(request["url"]).status_code
    return {"status": status, **describe(credentials)}


def verify(request):
    return dict(jwt.decode(request["token"], certs=request["keys"], audience=request["audience"]))


ACTIONS = {
    "version": version,
    "open": open_credentials,
    "tokenUriOfFile": token_uri_of_file,
    "refresh": refresh,
    "refreshByTwoThreads": refresh_by_two_threads,
    "get": get,
    "verify": verify,
}


def answer(request):
    try:
        return {"ok": ACTIONS[request["do"]](request)}
    # TypeError is what an EC key comes to where python3-cryptography is installed.
    except (RefreshError, TransportError, TypeError, ValueError) as error:
        return {"refused": type(error).__name__, "code": str(error.args[0])}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)

#!/usr/bin/env python3
"""Makes test/users/password-vectors.json with other people's implementations.

Debian 12: apt-get install python3-passlib python3-bcrypt python3-argon2 apache2-utils openssl whois.
Django and Werkzeug come from PyPI, because Debian's are older than their scrypt:
python3 -m venv --system-site-packages v && v/bin/pip install django werkzeug
v/bin/python test/users/make-password-vectors.py > test/users/password-vectors.json
"""

import base64
import hashlib
import json
import os
import subprocess

import bcrypt
import passlib
from passlib.hash import argon2, pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, scrypt, sha512_crypt
import django
from django.conf import settings
from django.contrib.auth import hashers
from importlib.metadata import version
from werkzeug.security import generate_password_hash

settings.configure()

PLAIN = "correct horse"
UNICODE = "p\u00e4ssw\u00f6rd \u2603 \U0001f511"
SHORT = "x"
EMPTY = ""
# Longer than a block of SHA-256 and of SHA-512, and than what bcrypt looks at.
LONG = "0123456789abcdef" * 9
ALL = [PLAIN, UNICODE, SHORT, EMPTY, LONG]

vectors = []


def add(made_by, password, text):
    vectors.append({"madeBy": made_by, "password": password, "hash": text.strip()})


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def firebase(password, salt, signer_key, separator):
    """scrypt of Python's hashlib, AES of the openssl command."""
    key = hashlib.scrypt(password.encode(), salt=salt + separator, n=2**14, r=8, p=1, dklen=32,
                         maxmem=2**26)
    made = subprocess.run(["openssl", "enc", "-aes-256-ctr", "-K", key.hex(), "-iv", "0" * 32],
                          input=signer_key, check=True, capture_output=True).stdout
    texts = [base64.b64encode(part).decode() for part in (separator, signer_key, salt, made)]
    return "$fbscrypt$v=1,n=14,r=8,p=1,ss={},sk={}${}${}".format(*texts)


passlib_name = f"passlib {passlib.__version__}"
bcrypt_name = f"bcrypt {bcrypt.__version__} for Python"
django_name = f"Django {django.__version__}"
werkzeug_name = f"Werkzeug {version('werkzeug')}"
for password in ALL:
    for kind in ("id", "i", "d"):
        add(f"argon2-cffi by {passlib_name}", password,
            argon2.using(type=kind, memory_cost=512, rounds=2, parallelism=1).hash(password))
    for prefix in (b"2a", b"2b"):
        # This version refuses nothing that is too long, and cuts it.
        add(bcrypt_name, password,
            bcrypt.hashpw(password.encode(), bcrypt.gensalt(5, prefix)).decode())
    for hasher in (pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512):
        add(passlib_name, password, hasher.using(rounds=1234).hash(password))
    for hasher in (hashers.PBKDF2PasswordHasher, hashers.PBKDF2SHA1PasswordHasher):
        add(django_name, password, hasher().encode(password, hasher().salt(), 1234))
    add(passlib_name, password, scrypt.using(rounds=10).hash(password))
    add(django_name, password,
        hashers.ScryptPasswordHasher().encode(password, hashers.ScryptPasswordHasher().salt(), n=1024))
    add(werkzeug_name, password, generate_password_hash(password, method="scrypt:1024:8:1"))
    add(passlib_name, password, sha512_crypt.using(rounds=5000).hash(password))
    add(passlib_name, password, sha512_crypt.using(rounds=1234).hash(password))
    add("hashlib of Python and openssl enc", password,
        firebase(password, os.urandom(10), os.urandom(64), b"\x07"))
for password in (PLAIN, UNICODE, LONG):
    add("openssl passwd -6", password, run("openssl", "passwd", "-6", "-stdin", input=password + "\n"))
    add("openssl passwd -6, a salt of 3", password,
        run("openssl", "passwd", "-6", "-salt", "abc", "-stdin", input=password + "\n"))
    add("mkpasswd -m sha512crypt -R 2000", password,
        run("mkpasswd", "-m", "sha512crypt", "-R", "2000", "-s", input=password + "\n"))
    add("mkpasswd -m bcrypt-a -R 5", password,
        run("mkpasswd", "-m", "bcrypt-a", "-R", "5", "-s", input=password + "\n"))
    # Of the program htpasswd, which writes $2y$.
    add("htpasswd -B -C 5", password,
        run("htpasswd", "-niB", "-C", "5", "u", input=password + "\n").strip()[2:])
add("PBKDF2 of hashlib, in the spelling of Django", PLAIN, "pbkdf2_sha512$1234$saltsalt$" +
    base64.b64encode(hashlib.pbkdf2_hmac("sha512", PLAIN.encode(), b"saltsalt", 1234)).decode())
add("the example of github.com/firebase/scrypt", "user1password",
    "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxU"
    "ECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAj"
    "Tdn3aoItz+VHjoZilo78198JAdRuid5lQ==")
for password, text in ((PLAIN, argon2.hash(PLAIN)), (PLAIN, pbkdf2_sha256.hash(PLAIN)),
                       (PLAIN, scrypt.hash(PLAIN)), (PLAIN, sha512_crypt.hash(PLAIN)),
                       (PLAIN, pbkdf2_sha512.hash(PLAIN))):
    add(f"{passlib_name} by default", password, text)
add(f"{django_name} by default", PLAIN, hashers.make_password(PLAIN))
add(f"{django_name} by default", PLAIN, hashers.ScryptPasswordHasher().encode(PLAIN, "saltsalt"))
add(f"{werkzeug_name} by default", PLAIN, generate_password_hash(PLAIN))
print(json.dumps(vectors, indent=2, ensure_ascii=False))

"""A resource server as somebody would write it with django-oauth-toolkit, started by
program-django.test.ts. The modules `settings` and `lineage_validator` are the blocks of
docs/integrations.md, in the directory that this runs in; what differs from them, and the database,
is JSON in the first argument."""

import json
import os
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

sys.path.insert(0, ".")

import django
import settings

given = json.loads(sys.argv[1])
rest_of_settings = {
    "ALLOWED_HOSTS": ["127.0.0.1"],
    "AUTHENTICATION_BACKENDS": ["oauth2_provider.backends.OAuth2Backend"],
    "DATABASES": {"default": given["database"]},
    "INSTALLED_APPS": [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "oauth2_provider",
        "rest_framework",
    ],
    "LOGGING": {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"stderr": {"class": "logging.StreamHandler"}},
        "root": {"handlers": ["stderr"]},
    },
    "OAUTH2_PROVIDER": {
        **settings.OAUTH2_PROVIDER,
        # For views that tell reading from writing.
        "SCOPES": {"notes:read": "read notes", "notes:write": "write notes"},
        "READ_SCOPE": "notes:read",
        "WRITE_SCOPE": "notes:write",
        **given["provider"],
    },
    "ROOT_URLCONF": __name__,
    "SECRET_KEY": "of no use here",
    "TIME_ZONE": given.get("timeZone", settings.TIME_ZONE),
    "USE_TZ": given.get("useTz", settings.USE_TZ),
}
for name, value in rest_of_settings.items():
    setattr(settings, name, value)
# With settings.configure() Django would not make TIME_ZONE that of the process.
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()

import oauth2_provider
import rest_framework
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from lineage_validator import LineageValidator
from oauth2_provider.contrib.rest_framework import OAuth2Authentication, TokenHasScope
from oauth2_provider.decorators import protected_resource, rw_protected_resource
from oauth2_provider.middleware import OAuth2TokenMiddleware
from oauth2_provider.views.generic import (
    ReadWriteScopedResourceView,
    ScopedProtectedResourceView,
)
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

SCOPE = "notes:read"


def describe(user):
    if user is None or not user.is_authenticated:
        return None
    return {
        "name": user.get_username(),
        "isSuperuser": user.is_superuser,
        "isActive": user.is_active,
        "hasPassword": bool(user.password),
    }


def show_owner(request):
    return JsonResponse({"user": describe(request.resource_owner)})


def show_user(request):
    return JsonResponse({"user": describe(getattr(request, "user", None))})


class OwnerView:
    def get(self, request):
        return show_owner(request)

    post = get


class ScopedNotes(OwnerView, ScopedProtectedResourceView):
    required_scopes = [SCOPE]


class ReadWriteNotes(OwnerView, ReadWriteScopedResourceView):
    pass


class RestNotes(APIView):
    authentication_classes = [OAuth2Authentication]
    permission_classes = [TokenHasScope]
    required_scopes = [SCOPE]

    def get(self, request):
        return Response({"user": describe(request.user)})


class RestUserNotes(RestNotes):
    permission_classes = [IsAuthenticated]


urlpatterns = [
    path("decorated", protected_resource(scopes=[SCOPE])(show_owner)),
    path(
        "decorated-checked",
        protected_resource(scopes=[SCOPE], validator_cls=LineageValidator)(show_owner),
    ),
    path("read-write-decorated", rw_protected_resource()(show_owner)),
    path("class", ScopedNotes.as_view()),
    path("read-write-class", ReadWriteNotes.as_view()),
    path("middleware", OAuth2TokenMiddleware(show_user)),
    path("rest", RestNotes.as_view()),
    path("rest-user", RestUserNotes.as_view()),
    path("open", lambda request: JsonResponse({})),
]


class Server(ThreadingMixIn, WSGIServer):
    """A request that waits holds up no other one."""

    daemon_threads = True


class Handler(WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


for command in given["commands"]:
    call_command(command, verbosity=0)
for user in given["users"]:
    get_user_model().objects.create(**user)

server = make_server("127.0.0.1", 0, get_wsgi_application(), Server, Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
versions = [
    oauth2_provider.__version__,
    f"Django {django.__version__}",
    f"REST framework {rest_framework.VERSION}",
]
print(json.dumps({"port": server.server_port, "version": ", ".join(versions)}), flush=True)
# It ends with whoever started it.
sys.stdin.read()

"""A fake identity provider and gateway on loopback: an OpenID provider, and oauth2-proxy with Dex before a server.

    with FakeProvider() as provider:                    # provider.url is the issuer
        provider.tokens, provider.refuse, provider.asked
    with FakeGateway(behind=kfp.url) as gateway:        # gateway.url asks for a log-in, then passes on
        gateway.end_sessions(), gateway.button, gateway.approval, gateway.connectors

Written from public sources: OpenID Connect Discovery 1.0 and RFC 6749 (4.4, 5.2, 2.3.1) for the provider;
dexidp/dex `server/handlers.go` and `web/templates/{password,approval}.html`, oauth2-proxy's `sign_in.html` and the
log-in that kubeflow/website's "Connect the SDK to the API" scripts, for the gateway.

Assumed: oauth2-proxy answers an unknown session with 302 to Dex (`skip_provider_button`), or with its page and 403;
Dex answers a wrong password with its form again, 200 (later ones 401). The pages hold what a log-in reads of them:
links to connectors, the form's fields, `action` of the button.
"""

from tests.fakes.oidc.gateway import FakeGateway
from tests.fakes.oidc.provider import FakeProvider

__all__ = ["FakeGateway", "FakeProvider"]

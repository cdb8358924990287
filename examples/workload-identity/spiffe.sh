#!/bin/sh
# A workload of SPIRE that gets a token of Lineage without a stored secret. The client `orders` lists the
# subject spiffe://example.org/ns/shop/sa/orders of the trusted issuer `mesh`.
set -eu
LINEAGE_ISSUER=https://auth.example.com
LINEAGE_CLIENT_ID=orders
SPIFFE_ID=spiffe://example.org/ns/shop/sa/orders

svid=$(spire-agent api fetch jwt -audience "$LINEAGE_ISSUER" -spiffeID "$SPIFFE_ID" -output json |
  jq -r '.[0].svids[0].svid')
curl --fail --silent "$LINEAGE_ISSUER/token" \
  -d grant_type=client_credentials -d client_id="$LINEAGE_CLIENT_ID" \
  -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
  -d client_assertion="$svid"

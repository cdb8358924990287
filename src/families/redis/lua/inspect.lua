-- KEYS: family, user, token, those that it was exchanged from. Answers {family, user, how many of the
-- tokens were revoked}.
return {
  redis.call('GET', KEYS[1]), redis.call('LINDEX', KEYS[2], 0), redis.call('EXISTS', unpack(KEYS, 3)),
}

-- KEYS: family, user, token. Answers {family, user, whether the token was revoked}.
return {
  redis.call('GET', KEYS[1]), redis.call('LINDEX', KEYS[2], 0), redis.call('EXISTS', KEYS[3]),
}

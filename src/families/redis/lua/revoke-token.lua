-- KEYS: token.
redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1])
extend(KEYS[1], ARGV[1])

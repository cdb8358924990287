-- KEYS: the hash of an id. ARGV: for how many ms it is remembered. Answers 1 for its first use, else 0.
return redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[1]) and 1 or 0

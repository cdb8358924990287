-- KEYS: user. The family that the newest epoch keeps lies in the same slot.
put_user(KEYS[1], ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])

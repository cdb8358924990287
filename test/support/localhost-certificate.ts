// A certificate for the name `localhost`, signed by itself, and its key, for servers of tests: whoever
// trusts it trusts them. Made with `openssl ca -selfsign`, valid from 2020 to 2120, so that no test needs
// that program.

export const LOCALHOST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2b/nTJGbkLWKFwF4
Mui27QZmYzy02ZglFScGC4hMO76hRANCAASQfKEDF3ZvzemPbqyD3g1ZpEM+jmWZ
y73HfJt1f98FEkQ3PlDauGWDDaFT61I2fTcpSnp16gLbGro5cLG6xNiX
-----END PRIVATE KEY-----
`

export const LOCALHOST_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBYTCCAQegAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJB8oQMXdm/N6Y9u
rIPeDVmkQz6OZZnLvcd8m3V/3wUSRDc+UNq4ZYMNoVPrUjZ9NylKenXqAtsaujlw
sbrE2JejSDBGMBQGA1UdEQQNMAuCCWxvY2FsaG9zdDAPBgNVHRMBAf8EBTADAQH/
MB0GA1UdDgQWBBRnnHGe7i9eWkyx3aFE9AHLib26tDAKBggqhkjOPQQDAgNIADBF
AiAQLz3/BNknYpTlKqRTdA7OvrfOEmbWfTleZxLGoOsHlgIhAPoQO6n6ZKbPvwnv
TlgxSupLjGEG5K4NiSs3vjml699Y
-----END CERTIFICATE-----
`

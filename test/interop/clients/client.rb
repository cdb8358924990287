# A program as somebody would write it with the gems oauth2 and jwt, driven by client-ruby.test.ts:
# one JSON request a line on stdin, one JSON answer a line on stdout. Its JWKS loader does what the
# documents of jwt describe: it keeps what it holds and asks again for an unknown kid, though not
# within 300 s of the last time.

require 'json'
require 'jwt'
require 'net/http'
require 'oauth2'

TIMEOUT_SECONDS = 10
UNKNOWN_KID_PAUSE_SECONDS = 300
SCHEMES = {
  'client_secret_basic' => :basic_auth,
  'client_secret_post' => :request_body,
  'none' => :request_body # The default, which sends a secret without a value, too.
}.freeze

def fetch(url)
  uri = URI(url)
  options = { open_timeout: TIMEOUT_SECONDS, read_timeout: TIMEOUT_SECONDS }
  answer = Net::HTTP.start(uri.host, uri.port, nil, nil, **options) { |http| http.get(uri.path) }
  raise "#{answer.code} for #{url}" unless answer.is_a?(Net::HTTPOK)

  JSON.parse(answer.body)
end

def discover(issuer)
  %w[oauth-authorization-server openid-configuration].map do |suffix|
    fetch("#{issuer}/.well-known/#{suffix}")
  end
end

def open_client(settings)
  metadata = discover(settings['issuer']).first
  requests = {
    timeout: TIMEOUT_SECONDS,
    # The default would send `resource[]` for a list.
    params_encoder: Faraday::FlatParamsEncoder
  }
  OAuth2::Client.new(
    settings['id'], settings['secret'].empty? ? nil : settings['secret'],
    site: settings['issuer'],
    token_url: metadata['token_endpoint'],
    auth_scheme: SCHEMES.fetch(settings['method']),
    connection_opts: { request: requests, proxy: nil }
  )
end

def wishes(request)
  request.slice('scope', 'resource')
end

# The gem knows neither endpoint: its own client authentication, and a request.
def post(request, endpoint, parameters)
  url = discover(request['client']['issuer']).first[endpoint]
  client = open_client(request['client'])
  scheme = client.options[:auth_scheme]
  body = OAuth2::Authenticator.new(client.id, client.secret, scheme).apply(parameters)
  headers = body.delete(:headers) || {}
  headers['Content-Type'] = 'application/x-www-form-urlencoded'
  client.request(:post, url, body: body, headers: headers).parsed
end

class Verifier
  def initialize(settings)
    @settings = settings
    @fetched_at = 0
  end

  def verify(token, now)
    loader = ->(options) { load_keys(options, now) }
    rules = {
      algorithms: [@settings['algorithm']], jwks: loader, required_claims: ['exp'],
      iss: @settings['issuer'], verify_iss: true, aud: @settings['audience'], verify_aud: true
    }
    claims, header = JWT.decode(token, nil, true, rules)
    raise JWT::DecodeError, 'the type is not at+jwt' unless header['typ'] == 'at+jwt'

    claims
  end

  private

  def load_keys(options, now)
    @keys = nil if options[:kid_not_found] && @fetched_at < now - UNKNOWN_KID_PAUSE_SECONDS
    @keys ||= begin
      @fetched_at = now
      fetch(@settings['jwksUri'])
    end
  end
end

VERIFIERS = Hash.new { |all, settings| all[settings] = Verifier.new(settings) }

ACTIONS = {
  'discover' => ->(request) { discover(request['issuer']) },
  'requestByCredentials' => lambda { |request|
    open_client(request['client']).client_credentials.get_token(wishes(request)).to_hash
  },
  'logIn' => lambda { |request|
    login = [request['username'], request['password']]
    open_client(request['client']).password.get_token(*login, wishes(request)).to_hash
  },
  'refresh' => lambda { |request|
    stored = { refresh_token: request['token'] }
    client = open_client(request['client'])
    OAuth2::AccessToken.from_hash(client, stored).refresh!(wishes(request)).to_hash
  },
  'revoke' => lambda { |request|
    token = { 'token' => request['token'], 'token_type_hint' => request['kind'] }
    post(request, 'revocation_endpoint', token)
    {}
  },
  'introspect' => lambda { |request|
    post(request, 'introspection_endpoint', 'token' => request['token'])
  },
  'verify' => lambda { |request|
    VERIFIERS[request['settings']].verify(request['token'], request['now'])
  }
}.freeze

def answer(request)
  { ok: ACTIONS.fetch(request['do']).call(request) }
rescue OAuth2::Error => e
  { refused: e.class.name, code: e.code }
rescue JWT::DecodeError => e
  { refused: e.class.name, code: e.message }
end

$stdout.sync = true
$stdin.each_line { |line| puts JSON.generate(answer(JSON.parse(line))) }

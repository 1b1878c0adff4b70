"""Made-up secrets and personal data, put together at run time so that no scanner takes this file for a leak."""

from __future__ import annotations

SECRETS: dict[str, tuple[str, str]] = {
    "openai": ("key", "sk-" + "proj-" + "A1b2C3d4E5f6G7h8I9j0K1l2"),
    "anthropic": ("key", "sk-" + "ant-api03-" + "Zy9Xw8Vu7Ts6Rq5Po4Nm3Lk2"),
    "our own": ("key", "sk-" + "wk1Abcdefgh2Ijklmnop3"),
    "google": ("key", "AI" + "zaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"),
    "aws": ("key", "AK" + "IAIOSFODNN7EXAMPLE"),
    "github": ("key", "gh" + "p_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"),
    "github fine": ("key", "github" + "_pat_11ABCDEFG0123456789abcdefghij"),
    "gitlab": ("key", "gl" + "pat-A1b2C3d4E5f6G7h8I9j0"),
    "slack": ("key", "xo" + "xb-1234567890-abcdefghijkl"),
    "stripe": ("key", "sk_" + "live_A1b2C3d4E5f6G7h8"),
    "npm": ("key", "np" + "m_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"),
    "pem": (
        "private_key",
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA7bq1\nQmFzZTY0IGlzIGhlcmU=\n-----END RSA PRIVATE KEY-----"),
    ),
    "jwt": ("token", "ey" + "JhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
}
PERSONAL: dict[str, tuple[str, str]] = {
    "e-mail": ("email", "jane.doe+news@example.com"),
    "e-mail in another script": ("email", "müller@käserei.example"),
    "phone, international": ("phone", "+41 44 668 18 00"),
    "phone, with 00": ("phone", "0049 30 901820 11"),
    "phone, national": ("phone", "044 668 18 00"),
    "phone, French with thin spaces": ("phone", "06\u202f12\u202f34\u202f56\u202f78"),
    "phone, American": ("phone", "(415) 555-2671"),
    "iban": ("iban", "CH93 0076 2011 6238 5295 7"),
    "iban, together": ("iban", "DE89370400440532013000"),
    "card": ("card", "4111 1111 1111 1111"),
    "card, together": ("card", "5555555555554444"),
    "card, American Express": ("card", "3782-822463-10005"),
}
ALL = {**SECRETS, **PERSONAL}

HARMLESS = [
    "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "550e8400-e29b-41d4-a716-446655440000",
    "00000000-0000-4000-8000-123456789012", "1732545910", "1732545910123", "1732545910123456789", "2026-11-25T14:45:10.123456Z",
    "2026-11-25 14:45:10", "01/02/2026 10:30", "05.11.2026 14:30", "25.11.2026", "CHF 1'234'567.80", "EUR 1.234.567,89",
    "0.00012345678", "3.14159265358979", "-0.0123456789", "1,234,567,890 tokens", "order 0000012345", "v1.2.3-20261125.1",
    "192.168.178.101:8080", "10.0.0.1", "::1", "latitude 47.3768866, longitude 8.5416940", "+47.3768866", "UTC+01:00",
    "chatcmpl-123456789012345", "call_1234567890123456", "gpt-4o-mini-2024-07-18", "react@18.3.1", "icon@2x.png",
    "@pytest.fixture", "git@github.com:acme/app.git", "a basic understanding of it", "bearer authentication is used",
    "the password is wrong", "password: string", "password=None", "api_key=os.environ['KEY']", "api_key: ${API_KEY}",
    "The secret: patience", "max_tokens: 4096", "input_tokens=1000", "token: hello", "https://example.com:8443/a/b?page=2",
    "sk-learn-pipeline-of-many-words", "risk-averse-strategies-and-more", "4111 1111 1111 1112", "CH93 0076 2011 6238 5295 8",
    "ISBN 978-3-16-148410-0", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]", "0x1f600", "100000000000", "#0446681800",
    "token=self.token_v2", "token=get_token2()", "token=sha256_hash", "token: gpt2_tokenizer", "token=TOKEN_NAME_2",
    "next_page_token=eyA1b2C3d4E5", "for token in tokens: n += 1", "token=1234567890", "| token | jwt: yes |", "?code=404&page=2",
    "docker run -u 1000:1000 app", "docker run --user app:staff app", "sudo -u postgres psql -c x:y",
    "curl -u $USER:$PASSWORD https://a.example", "the password is base64-encoded", "The password is required",
    "password is AES256/salted",
    "your password is 12 characters long", "Das Passwort ist 12-stellig", "Das Passwort ist falsch",
    "le mot de passe est obligatoire",
    "the password was changed", "jwt: disabled", "authorization: required", "bearer: none", "Bearer = string",
    "def f(token: str, auth: Auth2Config) -> None", "https://example.com:8443/~bob/a:b", "see https://a.example/@bob",
]  # fmt: skip

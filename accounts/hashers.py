"""Hash passwords."""

from unicodedata import normalize

from django.contrib.auth.hashers import Argon2PasswordHasher


class OwaspArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1


def normalize_password(text: str) -> str:
    # NFKC, as NIST SP 800-63B recommends.
    return normalize("NFKC", text)

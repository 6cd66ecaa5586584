"""Which passwords are refused although they are long enough: the first that anybody would try."""

from utils.errors import Invalid

# The most common ones of leaked lists that have ten characters or more, without case.
COMMON = frozenset(
    """
    0123456789 0987654321 1029384756 1111111111 11111111111 111111111111 1122334455 123123123123
    1234512345 1234554321 1234567890 12345678900 12345678901 123456789012 1234567890123
    1234567891 12345678910 123456789a 123456789q 123456789abc 12345qwert 123456qwerty 1234qwerasdf
    147258369a 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc 2222222222 3333333333 5555555555
    6666666666 7777777777 8888888888 9876543210 9999999999 0000000000 00000000000 aaaaaaaaaa
    abc1234567 abcd123456 abcd1234567 abcde12345 abcdefghij abcdefghijk administrator adminadmin
    admin12345 admin123456 asdfghjkl1 asdfghjkl123 asdfasdfasdf asdf123456 alexander1 babygirl12
    basketball basketball1 butterfly1 changeme12 changeme123 chocolate1 christopher computer12
    elizabeth1 footballer football12 football123 gfhjkm12345 gigmate123 gigmategigmate helloworld
    helloworld1 iloveyou12 iloveyou123 iloveyou1234 iloveyou2010 iloveyouso internet123 jennifer12
    letmein123 letmein1234 letmeinnow liverpool1 manchester manchester1 master1234 michelle12
    minecraft1 minecraft123 mypassword mypassword1 nothing123 p@ssw0rd123 pa55word123 pass123456
    passpasspass passw0rd12 passw0rd123 password01 password10 password11 password12 password123
    password1234 password12345 password123456 password1! password12! password123! password2024
    password2025 password2026 password99 passwordpassword performance poiuytrewq portsmouth
    princess12 princess123 qazwsxedc1 qazwsxedc123 qazwsxedcrfv qwer123456 qwerasdfzxcv qwert12345
    qwerty1234 qwerty12345 qwerty123456 qwerty1234567 qwertyqwerty qwertyuiop qwertyuiop1
    qwertyuiop123 qwertyuiop[] q1w2e3r4t5 q1w2e3r4t5y6 rockandroll samantha12 secret1234
    secretpassword spiderman1 starwars12 sunshine12 sunshine123 superman12 superman123
    thepassword trustno1234 university victoria12 volleyball welcome123 welcome1234 welcome12345
    william123 yourpassword zaq12wsxcde3 zxcvbnm123 zxcvbnm1234 zxcvbnmasdfghjkl
    """.split()
)


def require_hard_to_guess(password: str, *, field: str, email: str, name: str) -> None:
    """Raise Invalid for a common password, or the person's own address or name.

    `field` is what the request calls the password.
    """
    plain = password.strip().casefold()
    if plain in COMMON:
        raise Invalid.at(field, "Is among the first that anybody would try; choose another.")
    if plain in (email.casefold(), email.rpartition("@")[0].casefold(), name.strip().casefold()):
        raise Invalid.at(field, "Is your own name or address; choose another.")

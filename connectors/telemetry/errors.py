"""Errors that tell an operator what to do, and whose text is ours and may therefore be logged."""


class CodedError(Exception):
    """Something that a person has to mend, with a stable code, what is wrong and what to do.

    The one kind of exception whose text reaches the logs, so neither `message` nor `remedy` may hold a value that
    came from a message or a person: they name the place and the rule. `code` is upper case with dashes, such as
    `CFG-001`, and is never reused.
    """

    def __init__(self, code: str, message: str, remedy: str) -> None:
        super().__init__(code, message, remedy)
        self.code = code
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.code}: {self.message}\n{self.remedy}"

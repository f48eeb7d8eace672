from typing import Literal

SortOrder = Literal["asc", "desc"]
"""Sort order, ascending or descending. The server's default is desc."""

SORT_ORDER_VALUES: tuple[SortOrder, ...] = ("asc", "desc")

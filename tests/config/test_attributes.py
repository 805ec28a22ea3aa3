import pytest

from stylegan_ada.config import DataConfig
from stylegan_ada.config.attributes import AskedAttribute, parse_attributes
from stylegan_ada.errors import UserError


def test_names_with_and_without_a_kind() -> None:
    assert parse_attributes(None) == ()
    assert parse_attributes(" type , degree:number,a:b:yesno") == (
        AskedAttribute("type"),
        AskedAttribute("degree", "number"),
        AskedAttribute("a:b", "yesno"),
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"attributes": "a:numbr"}, "`attributes` a:numbr: no kind 'numbr', did you mean 'number'?"),
        ({"attributes": "a:"}, "no kind ''"),
        ({"attributes": "a,b,a:number"}, "'a' is named twice"),
        ({"attributes": ""}, "a name is empty, give names"),
        ({"attributes": "a,,b"}, "a name is empty"),
        ({"split_names": "-"}, "`split_names` -: name the parts by `attributes`"),
        ({"split_names": "", "attributes": "a"}, "`split_names` is empty"),
        ({"no_labels": True, "attributes": "a"}, "`no_labels` ignores them"),
        ({"label_column": "dx", "attributes": "a"}, "`label_column` dx: `attributes` names the columns"),
    ],
)
def test_what_is_refused(options: dict[str, str], words: str) -> None:
    with pytest.raises(UserError) as error:
        DataConfig(data="x", **options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_they_are_part_of_the_preparation() -> None:
    found = DataConfig(data="x", attributes="a,b", split_names="_").preparation
    assert (found.attributes, found.split_names) == ((AskedAttribute("a"), AskedAttribute("b")), "_")

from __future__ import annotations

from xml.etree import ElementTree as ET

from unit.verdicts import VERDICT

from workshop.reports import junit


def test_each_check_is_a_test_case_with_its_outcome():
    suite = ET.fromstring(junit.format_verdict(VERDICT))  # noqa: S314 - our own
    assert suite.tag == "testsuite"
    assert suite.attrib == {
        "name": "task-0",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    kinds = [[child.tag for child in case] for case in suite.iter("testcase")]
    assert kinds == [[], ["failure"], ["skipped"], ["error"]]


def test_a_failure_has_the_expected_state_the_place_and_the_hint():
    suite = ET.fromstring(junit.format_verdict(VERDICT))  # noqa: S314 - our own
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert "expected: a server" in failure.attrib["message"]
    assert "Dockerfile, line 3" in (failure.text or "")
    assert "Try that." in (failure.text or "")

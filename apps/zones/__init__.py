"""Zones and masks as people mark them: kept beside a memory, and put before what is watched into it."""

"""The simulator: a parcel network carried out event by event, with statistics, experiments and reports."""

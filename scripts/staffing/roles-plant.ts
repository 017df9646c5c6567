import type { RoleProfile } from './roles.ts';

/** Roles of factories and building sites. The duties end the sentence "Comfortable ..." or "Day to day: ...". */
export const plantRoles: readonly RoleProfile[] = [
  {
    role: 'Machine Operator',
    weight: 5,
    skills: 'machine setup|changeovers|micrometer|lockout tagout|preventive care|production counts|blueprint reading',
    certifications: 'OSHA-10|lockout tagout training|NIMS measurement|lean basics',
    duties:
      'running four stamping lines at once|changing tooling in under twenty minutes|catching jams before they stop the line|logging counts and downtime',
    sites: 'an automotive supplier|a can factory|a paper converter|a wire mill',
  },
  {
    role: 'CNC Operator',
    weight: 4,
    skills:
      'CNC lathe|CNC mill|G-code|tool offsets|calipers and micrometers|first article inspection|Fanuc controls|fixture setup',
    certifications: 'NIMS CNC milling|NIMS CNC turning|OSHA-10|blueprint reading certificate',
    duties:
      'setting offsets and proving out programs|holding half a thousandth on turned shafts|measuring first articles|editing G-code at the control|tending a five-axis cell',
    sites: 'an aerospace shop|a mold maker|a gear manufacturer|a tractor plant',
  },
  {
    role: 'Press Operator',
    weight: 2,
    skills: 'stamping press|die setup|sheet metal|press brake|light curtains|coil feeding|part inspection',
    certifications: 'press safety certificate|OSHA-10|lockout tagout training',
    duties: 'running a 400-ton press|setting dies with the crane|checking burrs every fifty strokes',
    sites: 'a stamping plant|a cabinet shop|a duct maker',
  },
  {
    role: 'Molding Operator',
    weight: 2,
    skills: 'injection molding|resin drying|mold changes|trimming|process sheets|regrind handling',
    certifications: 'plastics processing certificate|OSHA-10',
    duties: 'tending six injection presses|trimming flash by hand|drying resin to the sheet|pulling short shots early',
    sites: 'a toy factory|a bottle plant|a dashboard supplier',
  },
  {
    role: 'Assembler',
    weight: 5,
    skills: 'hand tools|torque drivers|soldering|wire harnesses|work instructions|sub-assembly|electronic assembly',
    certifications: 'IPC-A-610|IPC J-STD-001|OSHA-10|ESD training',
    duties:
      'building pump assemblies from drawings|soldering boards under a microscope|torquing every bolt to the sheet|wiring control panels|working any station on the line',
    sites: 'a pump manufacturer|an electronics contract shop|a bicycle factory|an elevator builder',
  },
  {
    role: 'Production Line Worker',
    weight: 4,
    skills: 'line work|visual inspection|sorting|packaging machines|hygiene rules|fast pace|team rotation',
    certifications: 'food handler card|good manufacturing practice training|OSHA-10',
    duties:
      'keeping pace on a bottling line|sorting fruit by eye|rotating stations every two hours|clearing small jams safely',
    sites: 'a bottling plant|a frozen pizza line|a candle factory|a poultry plant',
  },
  {
    role: 'Welder',
    weight: 3,
    skills: 'MIG welding|TIG welding|stick welding|weld symbols|grinding|fit-up|plasma cutting|pipe welding',
    certifications: 'AWS D1.1|AWS certified welder|6G pipe certification|OSHA-10',
    duties:
      'laying vertical beads on structural steel|TIG welding thin stainless|fitting frames from prints|passing x-ray on pressure pipe',
    sites: 'a trailer builder|a shipyard|a tank fabricator|a bridge contractor',
  },
  {
    role: 'Electrician',
    weight: 2,
    skills:
      'industrial wiring|conduit bending|motor controls|PLC troubleshooting|panel building|blueprint reading|three-phase power',
    certifications: 'journeyman electrician license|OSHA-30|NFPA 70E|arc flash training',
    duties:
      'wiring motor control centers|bending conduit that lines up|tracing faults in PLC cabinets|pulling feeder cable',
    sites: 'an industrial contractor|a steel mill|a data center build',
  },
  {
    role: 'Maintenance Technician',
    weight: 2,
    skills: 'hydraulics|pneumatics|conveyor repair|PLC basics|preventive care|bearing replacement|work orders',
    certifications: 'certified maintenance technician|OSHA-30|lockout tagout training|EPA 608',
    duties:
      'repairing conveyors while production waits|rebuilding cylinders and gearboxes|planning weekly preventive rounds',
    sites: 'a packaging plant|an airport baggage hall|a brewery',
  },
  {
    role: 'Millwright',
    weight: 1,
    skills: 'shaft alignment|rigging|machine leveling|precision measuring|gearboxes|layout',
    certifications: 'journeyman millwright card|rigging certificate|OSHA-30',
    duties: 'setting turbines on grout|aligning couplings by laser|moving presses between plants',
    sites: 'a power station|a paper mill|a grain elevator',
  },
  {
    role: 'Pipefitter',
    weight: 1,
    skills: 'pipe threading|isometric drawings|steam lines|brazing|pressure testing|hangers and supports',
    certifications: 'journeyman pipefitter card|OSHA-30|confined space entry',
    duties: 'hanging steam mains|reading isometrics and cutting spools|testing lines to 300 pounds',
    sites: 'a refinery|a hospital build|a chiller plant',
  },
  {
    role: 'HVAC Technician',
    weight: 1,
    skills: 'refrigeration|rooftop units|brazing|airflow balancing|thermostat wiring|compressor diagnosis',
    certifications: 'EPA 608 universal|NATE certification|OSHA-10',
    duties: 'finding refrigerant leaks|changing compressors on rooftops|balancing air in schools',
    sites: 'a mechanical contractor|a supermarket chain|a property manager',
  },
  {
    role: 'Quality Inspector',
    weight: 2,
    skills:
      'coordinate measuring machine|GD&T|calipers and micrometers|sampling plans|nonconformance reports|gauge calibration',
    certifications: 'ASQ certified inspector|ISO 9001 internal auditor|Six Sigma yellow belt',
    duties:
      'measuring castings on a coordinate machine|writing nonconformance reports|auditing suppliers|calibrating gauges',
    sites: 'a foundry|an implant maker|a brake manufacturer',
  },
  {
    role: 'Sanitation Worker',
    weight: 2,
    skills: 'foam cleaning|chemical dilution|lockout tagout|clean-in-place|allergen swabs|night shift',
    certifications: 'HACCP basics|chemical handling card|food handler card',
    duties:
      'washing down lines before dawn|swabbing for allergens|mixing cleaners to the chart|taking slicers apart and back',
    sites: 'a bakery|a meat plant|a cheese factory',
  },
  {
    role: 'Crane Operator',
    weight: 1,
    skills: 'overhead crane|mobile crane|rigging|load charts|hand signals|tandem lifts',
    certifications: 'NCCCO mobile crane|rigger level 2|signal person card',
    duties: 'lifting steel by hand signal|reading load charts before every pick|setting precast walls',
    sites: 'a steel mill|a precast yard|a wind farm build',
  },
  {
    role: 'Line Lead',
    weight: 1,
    skills: 'team scheduling|shift handover|training|production targets|conflict handling|lean methods',
    certifications: 'OSHA-30|lean basics|frontline leadership course',
    duties: 'leading fourteen people on second shift|training new hires at the station|writing a handover that is read',
    sites: 'a seat factory|a kitting center|a confectioner',
  },
  {
    role: 'Shift Supervisor',
    weight: 1,
    skills: 'people management|safety audits|labor planning|key figures|incident reports|bilingual coaching',
    certifications: 'OSHA-30|Six Sigma green belt|first aid instructor',
    duties: 'running a floor of sixty by night|planning labor against the forecast|closing safety actions on time',
    sites: 'a fulfillment center|a glass plant|a laundry plant',
  },
  {
    role: 'Industrial Painter',
    weight: 1,
    skills: 'spray guns|powder coating|surface preparation|sandblasting|masking|film gauges',
    certifications: 'respirator fit test|coating applicator certificate|OSHA-10',
    duties: 'spraying two-part epoxy on frames|blasting tanks to white metal|checking film with a gauge',
    sites: 'a trailer builder|a bridge yard|a furniture maker',
  },
  {
    role: 'Carpenter',
    weight: 1,
    skills: 'framing|formwork|finish carpentry|power saws|blueprint reading|crate building',
    certifications: 'OSHA-10|scaffold user card|journeyman carpenter card',
    duties: 'building concrete forms|framing walls to the print|making export crates to size',
    sites: 'a general contractor|a crate maker|an exhibit builder',
  },
  {
    role: 'General Laborer',
    weight: 3,
    skills: 'heavy lifting|site cleanup|hand tools|demolition|digging|pressure washing|flagging',
    certifications: 'OSHA-10|flagger card|first aid',
    duties:
      'clearing debris and carrying stock|digging trenches by hand|setting up fences and barriers|washing equipment down',
    sites: 'a demolition crew|an event company|a road contractor|a recycling yard',
  },
];

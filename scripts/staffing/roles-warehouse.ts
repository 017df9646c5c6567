import type { RoleProfile } from './roles.ts';

/** Roles of warehouses, docks and roads. The duties end the sentence "Comfortable ..." or "Day to day: ...". */
export const warehouseRoles: readonly RoleProfile[] = [
  {
    role: 'Forklift Operator',
    weight: 11,
    skills:
      'sit-down forklift|reach truck|pallet racking|load balancing|trailer unloading|RF scanning|battery changing|narrow aisle driving',
    certifications: 'OSHA forklift certification|OSHA-10|OSHA-30|powered industrial truck license|first aid',
    duties:
      'driving counterbalance and reach trucks|putting pallets away at 30 feet|unloading trailers with a clamp truck|inspecting the lift before every shift|staging full loads at the dock|moving coils and drums without damage',
    sites: 'a distribution center|a lumber yard|a beverage warehouse|a food plant|an auto parts depot',
  },
  {
    role: 'Warehouse Associate',
    weight: 8,
    skills: 'RF scanning|order picking|pallet jack|cycle counting|packing|labeling|inventory software|stock rotation',
    certifications: 'OSHA-10|pallet jack certification|first aid|warehouse safety card',
    duties:
      'picking, packing and putting away across zones|keeping aisles stocked and swept|counting bins every week|handling returns and damages|helping wherever the line backs up',
    sites: 'a fulfillment center|a retail warehouse|a third-party logistics hub|a furniture warehouse',
  },
  {
    role: 'Picker',
    weight: 6,
    skills: 'voice picking|RF scanning|pick to light|order accuracy|cart picking|case picking|pallet jack',
    certifications: 'order picker license|OSHA-10|warehouse safety card',
    duties:
      'picking grocery orders by voice headset|filling store totes to the scan|working high bays from an order picker|holding 140 lines an hour|sorting each pick by route',
    sites: 'a grocery distribution center|an online retailer|a pharmacy warehouse|a book warehouse',
  },
  {
    role: 'Packer',
    weight: 3,
    skills: 'carton sealing|labeling|kitting|scale checks|shrink wrapping|fragile goods|packing slips',
    certifications: 'food handler card|OSHA-10|good manufacturing practice training',
    duties:
      'packing mixed parcels to the slip|building gift kits by hand|wrapping glass so that it arrives whole|weighing and sealing cartons on a fast belt',
    sites: 'a cosmetics packer|a mail-order house|a snack plant|a print shop',
  },
  {
    role: 'Loader',
    weight: 5,
    skills: 'trailer loading|floor loading|load straps|pallet jack|heavy lifting|dock plates|freight stacking',
    certifications: 'dock safety training|OSHA-10|pallet jack certification|first aid',
    duties:
      'loading trailers by hand, tight and level|lifting 70-pound freight all shift|strapping mixed loads for the road|unloading sea containers in summer heat',
    sites: 'a parcel terminal|a cross dock|a tire warehouse|a moving company',
  },
  {
    role: 'Material Handler',
    weight: 5,
    skills:
      'line feeding|tugger driving|kanban|pallet jack|stock transfers|parts kitting|cycle counting|scrap handling',
    certifications: 'OSHA-10|tugger license|powered industrial truck license|lean basics',
    duties:
      'feeding parts to eight assembly stations|running a tugger route on the clock|returning scrap and empties|staging kits for the next shift|moving raw stock to the presses',
    sites: 'an engine plant|an appliance factory|a steel service center|a medical device plant',
  },
  {
    role: 'Shipping Clerk',
    weight: 3,
    skills: 'bills of lading|carrier scheduling|shipping software|labeling|export papers|freight rating|data entry',
    certifications: 'hazardous goods shipping certificate|OSHA-10|customs basics course',
    duties:
      'writing bills of lading and booking carriers|checking outbound loads against orders|tracing late freight by phone|printing export papers|closing trailers with seal and signature',
    sites: 'a chemical distributor|a machine builder|a paper mill|a hardware wholesaler',
  },
  {
    role: 'Receiving Clerk',
    weight: 3,
    skills:
      'purchase order matching|inbound inspection|data entry|RF scanning|vendor returns|dock scheduling|lot tracking',
    certifications: 'OSHA-10|food safety card|warehouse safety card',
    duties:
      'checking inbound freight against purchase orders|writing up shortages and damages|booking dock times with vendors|tagging lots for traceability',
    sites: 'a hospital supply depot|a dairy|a plumbing wholesaler|a school district warehouse',
  },
  {
    role: 'Inventory Clerk',
    weight: 2,
    skills: 'cycle counting|inventory reconciliation|spreadsheets|stock audits|barcode systems|slow stock reports',
    certifications: 'inventory control certificate|OSHA-10',
    duties:
      'finding why counts and books disagree|running daily cycle counts|clearing dead stock with buyers|preparing the yearly audit',
    sites: 'an electronics distributor|an aircraft parts store|a uniform supplier',
  },
  {
    role: 'Cold Storage Worker',
    weight: 1,
    skills: 'freezer work|temperature logs|stock rotation|pallet jack|frozen case picking|sanitation rules',
    certifications: 'food handler card|ammonia awareness|HACCP basics',
    duties: 'picking frozen cases at ten below|logging trailer temperatures|rotating dairy by date',
    sites: 'an ice cream warehouse|a seafood freezer|a meat packer',
  },
  {
    role: 'Hazmat Handler',
    weight: 1,
    skills: 'chemical storage|spill response|drum handling|placarding|respirator use|waste manifests',
    certifications: 'HAZWOPER 40|DOT hazardous materials certificate|OSHA-30|respirator fit test',
    duties: 'segregating acids, oxidizers and flammables|answering spills in full suit|signing waste manifests',
    sites: 'a chemical warehouse|a battery recycler|a paint plant',
  },
  {
    role: 'Truck Driver',
    weight: 2,
    skills: 'tractor-trailer driving|electronic logs|backing|load securement|trip planning|pre-trip inspection',
    certifications: 'CDL class A|tanker endorsement|hazmat endorsement|TWIC card',
    duties:
      'hauling dry vans over five states|running night linehaul|chaining down steel on flatbeds|keeping a clean log',
    sites: 'a regional carrier|a private fleet|a tank line',
  },
  {
    role: 'Delivery Driver',
    weight: 1,
    skills: 'route driving|customer contact|liftgate use|proof of delivery|box truck driving|city navigation',
    certifications: 'CDL class B|medical card|defensive driving course',
    duties: 'making forty stops a day in a box truck|carrying appliances upstairs|collecting signatures and returns',
    sites: 'an appliance dealer|a bakery|a linen service',
  },
  {
    role: 'Yard Driver',
    weight: 1,
    skills: 'yard tractor driving|trailer spotting|gate checks|radio use|reefer fueling|yard inventory',
    certifications: 'CDL class A|yard tractor license|OSHA-10',
    duties: 'spotting trailers at sixty doors|keeping the yard list true|moving empties before the night rush',
    sites: 'a rail yard|a grocery hub|a port terminal',
  },
  {
    role: 'Dispatcher',
    weight: 1,
    skills: 'route planning|driver contact|transport software|hours of service rules|load boards|customer updates',
    certifications: 'transport dispatcher certificate|first aid',
    duties: 'sending twenty trucks out on time|rescheduling around weather|talking drivers through bad nights',
    sites: 'a freight broker|a concrete company|an ambulance service',
  },
];
